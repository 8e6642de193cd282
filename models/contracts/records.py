"""Requests of the activities that write the record."""

from dataclasses import dataclass
from datetime import datetime

from models.contracts.workflows import AccountAcknowledged
from models.trading.account.entries.record import EntryRecord
from models.trading.account.facts import KillSwitchEngaged, KillSwitchLifted, TradeProgressed
from models.trading.account.settings.in_force import SettingsRecord
from models.trading.account.state import AccountState
from models.trading.ideas import Idea
from models.trading.trade.facts import (
    CloseRequested,
    EntryCancelRequested,
    PartialExitRequested,
    PriceWatch,
    StopMoveRequested,
)
from models.trading.trade.state import TradeState
from models.trading.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class SaveTrade:
    """A trade's figures, audited when ``event`` is set."""

    state: TradeState
    event: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SaveAccount:
    """An account's figures, without instruments and fees; audited when ``action`` is set.

    With them go, where given, a version of its settings and what an entry was decided by.
    """

    state: AccountState
    action: str | None
    actor: str
    details: dict[str, str]
    at: datetime
    settings: SettingsRecord | None = None
    entry: EntryRecord | None = None


@dataclass(frozen=True, slots=True)
class IdeaToRecord:
    """What became of an idea."""

    account: str
    idea: Idea
    verdict: Verdict
    trade: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class WatchesToSet:
    """The price watches that replace those of a trade."""

    account: str
    trade: int
    watches: tuple[PriceWatch, ...]


@dataclass(frozen=True, slots=True)
class ProgressToReport:
    """A trade's figures for its account."""

    account: str
    progress: TradeProgressed


@dataclass(frozen=True, slots=True)
class SignalKillSwitch:
    """What an account has to know of a kill switch: that it is engaged, or that it is lifted."""

    account: str
    engaged: KillSwitchEngaged | None = None
    lifted: KillSwitchLifted | None = None


@dataclass(frozen=True, slots=True)
class SignalAcknowledgement:
    """What a kill switch has to know of an account: that it is halted."""

    number: int
    acknowledged: AccountAcknowledged


@dataclass(frozen=True, slots=True)
class SignalTrade:
    """What its account wants of a trade: one of these."""

    trade: int
    withdraw: EntryCancelRequested | None = None
    close: CloseRequested | None = None
    sell_part: PartialExitRequested | None = None
    move_stop: StopMoveRequested | None = None


@dataclass(frozen=True, slots=True)
class SignalTrades:
    """What an account wants of its trades."""

    account: str
    trades: tuple[SignalTrade, ...]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row for the account's audit chain."""

    account: str
    actor: str
    action: str
    details: dict[str, str]
    correlation: str
