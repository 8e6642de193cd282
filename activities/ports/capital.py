"""What days and capital need from the record and from a simulated exchange, as protocols."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from models.trading.account.capital.facts import FlowNoted, TradeExecuted
from models.trading.capital.days import DailyRecord
from models.trading.capital.flows import LedgerLine, NavBaseline
from models.trading.trading_day import DayRule


@dataclass(frozen=True, slots=True)
class RunningDay:
    """The day of an account that is not closed yet, by the record, and the rule of its end.

    ``recorded_until`` is the end of the newest day that is written; None when there is none.
    """

    opened_at: datetime
    rule: DayRule
    recorded_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BoundaryFigures:
    """What the record tells of a boundary: prices then, what moved since, what the day realised."""

    prices: dict[str, Decimal] = field(default_factory=dict)
    moved: dict[str, Decimal] = field(default_factory=dict)
    realised: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)


class DayBook(Protocol):
    """The days of accounts in the record."""

    async def running_day(self, account: str) -> RunningDay | None:
        """Return the day that is not closed, None before anything was measured."""
        ...

    async def boundary_figures(
        self, account: str, opened_at: datetime, boundary: datetime
    ) -> BoundaryFigures:
        """Return what is needed to close a day that opened at a moment at a boundary."""
        ...

    async def executed_since(self, account: str, at: datetime) -> dict[int, TradeExecuted]:
        """Return all executions of the trades that were executed at or after a market time."""
        ...

    async def prices_reach(self, account: str, boundary: datetime) -> bool:
        """Tell whether the prices at a boundary are all that will come to be known of it."""
        ...

    async def save_day(self, account: str, record: DailyRecord) -> None:
        """Write a closed day; a repeat changes nothing."""
        ...


class CapitalBook(Protocol):
    """Capital flows of accounts in the record."""

    async def save_flows(self, account: str, flows: Sequence[FlowNoted]) -> None:
        """Write flows, each once; who moved capital by hand replaces ``exchange`` as author."""
        ...

    async def known_flows(self, account: str) -> set[str]:
        """Return the ids of all flows."""
        ...

    async def ledger_read_until(self, account: str) -> datetime | None:
        """Return the market time up to which flows of the ledger are recorded."""
        ...

    async def advance_ledger(self, account: str, at: datetime) -> None:
        """Move that time forward, never back."""
        ...

    async def price_at(self, asset: str, at: datetime) -> Decimal | None:
        """Return the last known price of an asset in USD at a market time."""
        ...

    async def save_baseline(self, account: str, baseline: NavBaseline) -> None:
        """Write a value that profit is measured from; a repeat changes nothing."""
        ...


class TransferRefusedError(Exception):
    """The simulated exchange did not book a transfer: nothing was changed."""


class SimulatedFunding(Protocol):
    """Moves capital of simulated accounts; there is no such thing for live ones."""

    async def transfer(
        self, account: str, reference: str, asset: str, amount: Decimal
    ) -> LedgerLine:
        """Book capital in (positive) or out (negative), once per reference.

        Raises:
            TransferRefusedError: it cannot be booked.
        """
        ...
