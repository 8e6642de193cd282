"""What the rules of the market need from record and exchange, as protocols."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from models.contracts.stress import StressRequest
from models.trading.instruments import Instrument
from models.trading.market import Candle, MarketSnapshot
from models.trading.risk.stress import StressResult
from models.trading.risk.stress_scenarios import Shock
from models.trading.universe.correlation import Correlations
from models.trading.universe.pairs import Universe, UniverseProposal


@dataclass(frozen=True, slots=True)
class PairQuote:
    """A pair's day at the exchange: USD traded in 24 hours, and the spread as a share."""

    daily_volume: Decimal
    spread_share: Decimal


@dataclass(frozen=True, slots=True)
class UniverseAuthorship:
    """Who made a version of the universe, why, and when (protocol time)."""

    author: str
    approved_by: str
    reason: str
    at: datetime
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """Base units of one asset held by an account; ``stop_price`` None: nothing rests for them."""

    asset: str
    quantity: Decimal
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account has: USD, and its assets as its trades protect them.

    ``daily_share`` and ``total_share`` are what drawdown has cost already.
    """

    cash: Decimal
    held: tuple[Holding, ...]
    daily_share: Decimal = Decimal(0)
    total_share: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class StressRun:
    """One finished run as it is written down."""

    request: StressRequest
    at: datetime
    market_time: datetime | None
    equity: Decimal
    unpriced: tuple[str, ...]
    shocks: tuple[Shock, ...]
    results: tuple[StressResult, ...]


class StressRecord(Protocol):
    """What stress runs read and write."""

    async def holdings(self, account: str) -> Holdings:
        """Return what an account has."""
        ...

    async def snapshots(self) -> dict[str, MarketSnapshot]:
        """Return the latest figures of every symbol."""
        ...

    async def save_stress(self, run: StressRun) -> None:
        """Write a run, audited; one that was written stays."""
        ...


class PairSource(Protocol):
    """The public side of the exchange as far as it tells of pairs."""

    async def instruments(self) -> dict[str, Instrument]:
        """Return the USD spot pairs by symbol."""
        ...

    async def quotes(self) -> dict[str, PairQuote]:
        """Return the day's figures by symbol; a pair without a price is left out."""
        ...

    async def history(self, symbol: str, interval_minutes: int) -> list[Candle]:
        """Return recent closed bars, oldest first (at most 720)."""
        ...


class BarStore(Protocol):
    """The bars of the record."""

    async def save_candles(self, candles: Sequence[Candle]) -> int:
        """Insert closed bars, replacing equal keys."""
        ...

    async def recent_candles(self, symbol: str, interval_minutes: int, limit: int) -> list[Candle]:
        """Return the newest closed bars, oldest first."""
        ...


class UniverseRecord(Protocol):
    """The universe: its versions, and what the rules propose."""

    async def current(self) -> Universe | None:
        """Return the universe in force, None before the first."""
        ...

    async def reviewed_at(self) -> datetime | None:
        """Return when the universe was reviewed last (protocol time), None before the first."""
        ...

    async def install(self, universe: Universe, by: UniverseAuthorship) -> bool:
        """Write the next version, audited; False when that version exists already."""
        ...

    async def refresh(self, universe: Universe, at: datetime) -> None:
        """Write minimums and status of the day, the pairs that are gone, and when that was."""
        ...

    async def save_proposal(self, proposal: UniverseProposal, at: datetime) -> int:
        """Write a proposal and return its number; the newest again when nothing is new."""
        ...

    async def sanctioned(self) -> Mapping[str, str] | None:
        """Return the entry that names each asset in the newest list of sanctions, None without."""
        ...

    async def held_symbols(self) -> Collection[str]:
        """Return the pairs of which any account holds something or has a trade open."""
        ...


class CorrelationRecord(Protocol):
    """The correlation groups, as computed from time to time."""

    async def save_correlations(
        self, correlations: Correlations, at: datetime, market_time: datetime | None
    ) -> int:
        """Write a computation and return its number."""
        ...

    async def current_groups(self) -> tuple[int, Mapping[str, str]]:
        """Return number and groups by symbol of the newest one; zero and none before the first."""
        ...

    async def computed_at(self) -> datetime | None:
        """Return when the groups were computed last (protocol time), None before the first."""
        ...
