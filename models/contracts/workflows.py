"""Inputs, requests and answers of the workflows that are not facts of the domain."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.trade.state import TradePlan, TradeState


@dataclass(frozen=True, slots=True)
class AccountInput:
    """What an account's workflow starts from; ``handled`` counts facts over all runs."""

    state: AccountState
    handled: int = 0
    started: bool = False


@dataclass(frozen=True, slots=True)
class TradeInput:
    """What a trade's workflow starts from: ``state`` is None on its first run.

    ``answers`` are the newest answers given, so that a request repeated after a continue-as-new
    gets the same one; ``handled`` counts facts over all runs. ``restored`` says that the state is
    from the record, because the workflow before was ended from outside. ``reopened`` says that the
    state has settled, and that a fact is on its way which it has settled without.
    """

    plan: TradePlan
    state: TradeState | None = None
    answers: tuple[Answer, ...] = ()
    handled: int = 0
    restored: bool = False
    reopened: bool = False


@dataclass(frozen=True, slots=True)
class Idle:
    """The answer to ``rest``: whether all told was handled, and how many facts that were so far.

    ``trades`` are those that the answering account holds to be open; a trade names none.
    """

    settled: bool
    handled: int
    trades: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CloseNow:
    """Somebody asks a trade to close; ``price`` is the pair's, None where it is not known."""

    request_id: str
    by: str
    at: datetime
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MoveStop:
    """Somebody asks for other exits; None leaves a price as it is.

    ``price`` is the pair's last price as the request was made, None where it is not known.
    """

    request_id: str
    by: str
    at: datetime
    stop_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class KillSwitchInput:
    """One engagement of the kill switch over the named accounts and pairs (none: all of them)."""

    number: int
    accounts: tuple[str, ...]
    flatten: bool
    reason: str
    by: str
    at: datetime
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountAcknowledged:
    """An account's workflow is halted by the kill switch."""

    account: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LiftApproved:
    """A second person has approved that the kill switch is lifted."""

    request_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KillSwitchProgress:
    """How far a kill switch has come."""

    number: int
    phase: str
    acknowledged: tuple[str, ...]
    open_entries: int
    open_positions: int


@dataclass(frozen=True, slots=True)
class KillSwitchAcknowledgement:
    """An acknowledgement for the record, and when the kill switch was engaged."""

    number: int
    account: str
    at: datetime
    engaged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KillSwitchLift:
    """A lift for the record."""

    number: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenWork:
    """What still rests of the accounts that a kill switch stopped."""

    open_entries: int
    open_positions: int


@dataclass(frozen=True, slots=True)
class AccountsToCheck:
    """Accounts whose open orders are to be counted, in these pairs (none: in all)."""

    accounts: tuple[str, ...]
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountToFollow:
    """The private stream to follow; the account is told of ``symbols`` (none: all pairs)."""

    account: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountToReconcile:
    """The account to compare with the exchange."""

    account: str
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What a reconciliation found; repaired differences were told to their trades."""

    differences: dict[str, list[str]]
    repaired: int
