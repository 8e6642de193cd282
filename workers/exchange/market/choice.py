"""Which market the exchange runs: generated, replayed from recordings, or Kraken's live feed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from models.simulation.markets.generated import GeneratedMarket
from models.simulation.markets.instruments import UNIVERSE, Universe
from models.simulation.markets.replay import CandleDataError, PathAssumption, ReplayMarket
from models.simulation.outcomes import VenueOptions
from models.simulation.steps import MarketSource
from workers.exchange.errors import StartError

if TYPE_CHECKING:
    from workers.exchange.market.live import LiveMarket

REPRODUCIBLE_START = datetime(2026, 8, 1, tzinfo=UTC)


class MarketMemory(Protocol):
    """The part of a market that survives a restart."""

    def state(self) -> dict[str, Any]:
        """Return where the market is."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        ...


@dataclass(frozen=True, slots=True)
class Market:
    """The chosen market: exactly one of ``source`` (repeatable) and ``live`` is set."""

    name: str
    universe: Universe
    source: MarketSource | None = None
    live: "LiveMarket | None" = None

    @property
    def options(self) -> VenueOptions:
        """Return how the venue fills in this market: candles leave no room past a limit."""
        return VenueOptions(improves_past_limit=not isinstance(self.source, ReplayMarket))

    @property
    def memory(self) -> MarketMemory:
        """Return what keeps the market's position."""
        chosen = self.live if self.source is None else self.source
        assert chosen is not None
        return chosen

    def start_time(self) -> datetime:
        """Return the market time before the first step."""
        if self.source is not None:
            return self.source.start_time()
        assert self.live is not None
        return self.live.start_time()


async def open_market(
    name: str,
    *,
    seed: int,
    bar_minutes: int,
    lockstep: bool,
    warmup_bars: int = 0,
    path: PathAssumption = PathAssumption.WORST_FIRST,
) -> Market:
    """Return the market of a specification: ``generated``, ``replay:PATH[,PATH…]``, ``kraken``.

    A generated market starts ``warmup_bars`` before now, and in lockstep always at the same time.

    Raises:
        StartError: unknown, unreadable or unreachable; never another market instead.
    """
    kind, _, paths = name.partition(":")
    if name == "generated":
        start = REPRODUCIBLE_START
        if not lockstep:
            history = timedelta(minutes=bar_minutes * warmup_bars)
            start = _whole_bar(datetime.now(UTC), bar_minutes) - history
        source = GeneratedMarket(UNIVERSE, seed=seed, start=start, bar_minutes=bar_minutes)
        return Market(name, UNIVERSE, source=source)
    if kind == "replay" and paths:
        return _replay(name, paths, seed, path)
    if name == "kraken":
        return await _kraken(name, bar_minutes, lockstep=lockstep)
    raise StartError(
        f"the market {name!r} is unknown: choose generated, replay:PATH[,PATH…] or kraken"
    )


def _replay(name: str, paths: str, seed: int, path: PathAssumption) -> Market:
    from workers.exchange.market.recordings import RecordingError, load_recordings

    try:
        files = [Path(file).expanduser() for file in paths.split(",") if file]
        candles = load_recordings(files, UNIVERSE)
        universe = UNIVERSE.only(candles)
        source = ReplayMarket(universe, candles, seed=seed, path=path)
        return Market(name, universe, source=source)
    except (RecordingError, CandleDataError, OSError) as error:
        raise StartError(f"the market cannot be replayed: {error}") from None


async def _kraken(name: str, bar_minutes: int, *, lockstep: bool) -> Market:
    if lockstep:
        raise StartError("Kraken's live market cannot run in lockstep: choose a speed of 1")
    from workers.exchange.market.live import LiveMarket, LiveMarketError

    live = LiveMarket(UNIVERSE, bar_minutes=bar_minutes)
    try:
        await live.open()
    except LiveMarketError as error:
        raise StartError(str(error)) from None
    return Market(name, live.universe, live=live)


def _whole_bar(moment: datetime, bar_minutes: int) -> datetime:
    length = timedelta(minutes=bar_minutes)
    return moment - (moment - REPRODUCIBLE_START) % length
