"""What the change of an account's mode needs from record, secrets and exchange, as protocols."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from models.contracts.modes import ExchangeToChange
from models.trading.governance.going_live import LiveTerms
from models.trading.risk.limits import Mode


@dataclass(frozen=True, slots=True)
class LastReconciliation:
    """The newest whole comparison with the exchange."""

    at: datetime
    differences: int


@dataclass(frozen=True, slots=True)
class SimulationRun:
    """The present run in simulation without a break, in market time, and its closed trades.

    ``net_results`` are those of the trades of what the account follows, in order of their closing,
    as shares of what was paid; of all its trades where it follows nothing.
    """

    length: timedelta
    trades: int
    net_results: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """The newest request to go live that still counts."""

    number: int
    requested_by: str
    approved_by: str | None
    overrides_evidence: bool = False
    terms: LiveTerms | None = None


@dataclass(frozen=True, slots=True)
class OpenInMode:
    """What is left in the present mode: trades with orders, pairs held, halts."""

    trades: int
    positions: tuple[str, ...]
    halts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DirectorFactors:
    """How many people are directors of an account, and who of them lacks a second factor."""

    directors: int
    short: tuple[str, ...]


class ModeRecord(Protocol):
    """The part of the record that modes rest on."""

    async def mode_of(self, account: str) -> Mode:
        """Return the account's mode."""
        ...

    async def last_reconciliation(self, account: str) -> LastReconciliation | None:
        """Return the newest whole comparison."""
        ...

    async def simulation_run(self, account: str) -> SimulationRun | None:
        """Return the present run in simulation, None when it never ran."""
        ...

    async def live_request(self, account: str, now: datetime) -> LiveRequest | None:
        """Return the request to go live that counts now (protocol time)."""
        ...

    async def open_in_mode(self, account: str) -> OpenInMode:
        """Return what is left in the present mode."""
        ...

    async def director_factors(self, account: str) -> DirectorFactors:
        """Return the directors of the account, and those with too few second factors."""
        ...

    async def record_mode(self, change: ExchangeToChange) -> None:
        """Write a change of mode, once; from here on executions count from now."""
        ...


class KeyInspector(Protocol):
    """Asks Kraken what a live key may do; with a request that changes nothing."""

    async def permissions(self, account: str) -> frozenset[str] | None:
        """Return the permissions of the account's live key, None when they cannot be found out."""
        ...
