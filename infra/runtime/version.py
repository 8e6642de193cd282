"""Which version of the code runs, for what the record says of its rows."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SHORT = 12
_SAFE = re.compile(r"[^0-9A-Za-z.+-]")


@cache
def code_version() -> str:
    """Return the package's version and, of a checkout, the commit that is checked out."""
    try:
        released = version("aether")
    except PackageNotFoundError:
        released = "unknown"
    commit = _commit(Path(__file__).parents[2])
    return _SAFE.sub("", f"{released}+{commit[:SHORT]}" if commit else released)


def _commit(root: Path) -> str:
    """Read the checked-out commit without calling git; "" where it cannot be told."""
    try:
        place = root / ".git"
        if place.is_file():  # a worktree names its own directory
            place = Path(place.read_text().partition("gitdir: ")[2].strip())
        head = (place / "HEAD").read_text().strip()
        name = head.removeprefix("ref: ")
        if name == head:
            return head
        common = place / "commondir"
        shared = (place / common.read_text().strip()) if common.exists() else place
        for base in (place, shared):
            if (base / name).exists():
                return (base / name).read_text().strip()
        packed = (shared / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except OSError:
        return ""
