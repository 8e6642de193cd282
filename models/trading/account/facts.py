"""What an account is told (facts), asked (requests) and what it asks for (commands)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.trading.account.capital.facts import CapitalCommand, CapitalFact, CapitalRequest
from models.trading.account.entries.record import EntryRecord
from models.trading.account.hedge.facts import HedgeCommand, HedgeRequest
from models.trading.account.settings.in_force import SettingsInForce, SettingsRecord
from models.trading.capital.flows import CapitalFlow
from models.trading.exits.requests import ExitsChange
from models.trading.governance.approval import ApprovalSettled, RequestApproval
from models.trading.governance.going_live import LiveFacts
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.market import MarketSnapshot
from models.trading.orders import OrderType
from models.trading.risk.limits import AccountLimits, FeeRates, Mode, ProtectionMode
from models.trading.strategies.evidence import Evidence
from models.trading.trade.facts import ExitReason
from models.trading.trade.state import TradePlan, TradeSummary
from models.trading.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class ExchangeReady:
    """The exchange answered: balances (asset, v2 names, to total), pairs and fee rates.

    ``at`` is the protocol time before the balances were asked for.
    ``mode`` is whose exchange answered: that of another mode is not listened to.
    ``orders_consistent`` is what a reconciliation found: False while there are differences that are
    not repaired, None where nobody compared or the reads were too old to tell.
    ``flows`` are capital flows of the ledger that the record does not know, oldest first; None when
    the ledger was not read.
    """

    balances: dict[str, Decimal]
    instruments: dict[str, Instrument]
    fees: dict[str, FeeRates]
    at: datetime
    orders_consistent: bool | None = None
    flows: tuple[CapitalFlow, ...] | None = None
    mode: Mode = Mode.SIMULATED


@dataclass(frozen=True, slots=True)
class ExchangeLost:
    """The exchange cannot be reached: nothing is placed until it is ready again.

    ``cooling`` names the cool-down because of which it is not asked (``lockout``, …).
    """

    reason: str
    at: datetime
    cooling: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignInstanceMet:
    """An order on the account's key is of the platform's form, and the record does not know it."""

    order_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class UniverseUpdated:
    """What the platform's rules say of the market: the universe and the correlation groups.

    ``universe`` are the symbols that entries may be made in, ``buckets`` and ``groups`` are by
    symbol, ``settings`` the platform's. What is older by version or number changes nothing.
    ``at`` is protocol time, as are the times of the last review and computation, None: never.
    """

    universe_version: int
    universe: tuple[str, ...]
    buckets: dict[str, str]
    groups_number: int
    groups: dict[str, str]
    at: datetime
    settings: SettingsInForce | None = None
    universe_reviewed_at: datetime | None = None
    groups_computed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenRequested:
    """A person or program asks for a trade. ``quantity`` None: the account sizes it.

    ``market`` is None when the market worker knows no price for the symbol. ``exits`` are those
    beyond stop, target and trailing distance.
    """

    request_id: str
    by: str
    symbol: str
    order_type: OrderType
    stop_price: Decimal
    market: MarketSnapshot | None
    at: datetime
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    take_profit_price: Decimal | None = None
    trailing_distance: Decimal | None = None
    protection: ProtectionMode | None = None
    exits: ExitsChange | None = None


@dataclass(frozen=True, slots=True)
class IdeaArrived:
    """A strategy proposes a trade on bar close. ``at`` is protocol time.

    ``evidence`` is that of the idea's strategy version, None when it could not be found out.
    """

    idea: Idea
    market: MarketSnapshot
    at: datetime
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class TradeProgressed:
    """A trade reports its present figures; ``closed`` when it is settled."""

    summary: TradeSummary
    closed: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class TradeCloseRequested:
    """Somebody asks for one trade to be closed."""

    request_id: str
    by: str
    trade: int
    at: datetime


@dataclass(frozen=True, slots=True)
class KillSwitchEngaged:
    """Stop: no entries, open entries withdrawn, positions kept protected or flattened.

    In these ``symbols`` alone, or in every pair where none is named.
    """

    number: int
    flatten: bool
    reason: str
    by: str
    at: datetime
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KillSwitchLifted:
    """The kill switch was lifted by people."""

    number: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HaltRequested:
    """Somebody stops entries of this account."""

    request_id: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ResumeRequested:
    """Somebody lifts the manual halt of this account, or that of missing coins; no kill switch."""

    request_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LimitsChangeRequested:
    """Somebody sets other limits."""

    request_id: str
    by: str
    limits: AccountLimits
    at: datetime
    frozen: str = ""


@dataclass(frozen=True, slots=True)
class SettingsChangeRequested:
    """Somebody sets values of the account's settings; all of them or none take effect.

    ``updates`` is a JSON object of plain values by name, ``based_on`` the version that the author
    saw (None: whatever is in force); what is dangerous has to be ``confirmed``. ``frozen`` says why
    nothing may be loosened now, as the platform itself found out, never as a caller says.
    """

    request_id: str
    by: str
    updates: str
    reason: str
    at: datetime
    based_on: int | None = None
    confirmed: bool = False
    frozen: str = ""


@dataclass(frozen=True, slots=True)
class ModeChangeRequested:
    """Somebody wants the account in another mode.

    ``live`` is what the platform itself found out for going live, never what a caller says.
    """

    request_id: str
    by: str
    mode: Mode
    at: datetime
    live: LiveFacts | None = None


AccountFact = (
    ExchangeReady
    | ExchangeLost
    | ForeignInstanceMet
    | OpenRequested
    | IdeaArrived
    | TradeProgressed
    | TradeCloseRequested
    | KillSwitchEngaged
    | KillSwitchLifted
    | UniverseUpdated
    | HaltRequested
    | ResumeRequested
    | LimitsChangeRequested
    | SettingsChangeRequested
    | ModeChangeRequested
    | CapitalFact
    | CapitalRequest
    | ApprovalSettled
    | HedgeRequest
)


@dataclass(frozen=True, slots=True)
class EnterTrade:
    """Start the trade's workflow and place its entry, side by side."""

    plan: TradePlan
    verdict: Verdict
    record: EntryRecord | None = None


@dataclass(frozen=True, slots=True)
class RecordIdea:
    """Write down what became of an idea, with the reasons."""

    idea: Idea
    verdict: Verdict
    trade: int | None


@dataclass(frozen=True, slots=True)
class WithdrawEntries:
    """Cancel open entries in one request and tell their trades."""

    trades: tuple[int, ...]
    order_ids: tuple[str, ...]
    reason: ExitReason


@dataclass(frozen=True, slots=True)
class CloseTrades:
    """Tell trades to close now."""

    trades: tuple[int, ...]
    reason: ExitReason
    by: str


@dataclass(frozen=True, slots=True)
class ReduceTrades:
    """Tell trades what all their sales together shall reach, for a strategy that wants less."""

    targets: dict[int, Decimal]
    by: str


@dataclass(frozen=True, slots=True)
class RaiseStops:
    """Tell trades to bring their stops up to a price; ``last`` is the price it was decided at."""

    trades: tuple[int, ...]
    stop_price: Decimal
    last: Decimal
    by: str


@dataclass(frozen=True, slots=True)
class AcknowledgeKillSwitch:
    """Tell the kill switch workflow that this account is halted."""

    number: int


@dataclass(frozen=True, slots=True)
class RecordAccount:
    """Write the account's present state to the record and, with ``action``, an audit row.

    With it go, where given, a version of the settings and what an entry was decided by.
    """

    action: str | None = None
    actor: str = "aether"
    details: tuple[tuple[str, str], ...] = ()
    settings: SettingsRecord | None = None
    entry: EntryRecord | None = None


@dataclass(frozen=True, slots=True)
class ChangeExchange:
    """Have the account use the exchange of its new mode from now on, and write the change down.

    ``market_time`` is the newest that was seen in the old mode; ``request`` the number of the
    request to go live that was approved.
    """

    mode: Mode
    by: str
    at: datetime
    market_time: datetime | None
    verdict: Verdict
    request: int | None = None


AccountCommand = (
    EnterTrade
    | RequestApproval
    | HedgeCommand
    | RecordIdea
    | WithdrawEntries
    | CloseTrades
    | ReduceTrades
    | RaiseStops
    | AcknowledgeKillSwitch
    | RecordAccount
    | CapitalCommand
    | ChangeExchange
)
