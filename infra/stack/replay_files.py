"""The files of a market that is replayed, as its name in the settings gives them."""

from pathlib import Path


def replay_files(market: str) -> list[Path]:
    """Return the files of a replay market, none for another market."""
    kind, _, names = market.partition(":")
    return [Path(name) for name in names.split(",")] if kind == "replay" else []


def is_there(path: Path) -> bool:
    """Tell whether a file exists, or the zip behind which it is named (a.zip/XBTUSD_15.csv)."""
    zipped = any(part.suffix == ".zip" and part.is_file() for part in path.parents)
    return zipped or path.is_file()


def absolute_market(market: str) -> str:
    """Return the market with the paths of a replay made absolute."""
    files = replay_files(market)
    if not files:
        return market
    return "replay:" + ",".join(str(path.expanduser().resolve()) for path in files)
