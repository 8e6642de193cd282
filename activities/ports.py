"""What the platform needs from the world, as protocols; adapters implement them.

Money is ``Decimal``, times are timezone-aware UTC, symbols and assets carry WebSocket v2 names.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from activities.capital_ports import CapitalBook, DayBook
from activities.equity_watch import AccountMark
from models.contracts.workflows import AccountAcknowledged
from models.trading.account_facts import Answer
from models.trading.account_hedge_facts import HedgeRecord
from models.trading.account_settings import SettingsRecord
from models.trading.account_state import AccountState
from models.trading.approval import ApprovalRequest
from models.trading.entry_record import EntryRecord
from models.trading.ideas import Idea
from models.trading.instruments import Instrument
from models.trading.limits import FeeRates, Mode
from models.trading.market import Candle, MarketSnapshot
from models.trading.orders import Fill, OrderReport, OrderSpec, OrderStatus
from models.trading.strategies.evidence import Evidence
from models.trading.trade_facts import PriceWatch
from models.trading.trade_state import TradeState
from models.trading.verdicts import Verdict

# --- the exchange, private side ----------------------------------------------------------------


class ExchangeError(Exception):
    """Base of everything an exchange call can end in; ``raw`` keeps the exchange's own words."""

    def __init__(self, message: str, raw: str = "") -> None:
        super().__init__(message)
        self.raw = raw


class ExchangeUnavailableError(ExchangeError):
    """The request was certainly not executed: no connection, maintenance, a read that failed."""


class RateLimitedError(ExchangeError):
    """The exchange or our own budget refused for rate; certainly not executed."""

    def __init__(self, message: str, raw: str = "", retry_after_seconds: float = 1.0) -> None:
        super().__init__(message, raw)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class CoolingDown:
    """A time in which a key, or an address, asks the exchange nothing.

    Attributes:
        kind: the rule it follows: ``lockout``, ``credentials``, …
        reason: the same for people, with the exchange's words and the end.
        until: protocol time at which one request tries whether it is over.
        seconds: length of the present pause; they grow from try to try.
    """

    kind: str
    reason: str
    until: datetime
    seconds: float


class CoolingDownError(RateLimitedError):
    """Asking would prolong what the exchange refuses for; nothing was sent."""

    def __init__(self, cooling: CoolingDown, retry_after_seconds: float) -> None:
        super().__init__(cooling.reason, "", retry_after_seconds)
        self.cooling = cooling


class OrderRejectedError(ExchangeError):
    """A definite refusal: nothing was created or changed."""


class OrderGoneError(ExchangeError):
    """The order is known but no longer open (filled or canceled), or never existed: ask."""


class UnknownOutcomeError(ExchangeError):
    """The request may or may not have been executed: ask before anything is sent again."""


class CredentialsError(ExchangeError):
    """Key, signature, nonce or permission refused."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Total and held amount of one asset; available is the difference.

    ``wallets`` splits the total by the names that the ledger books under (``BTC``, ``BTC.F``);
    empty where the asset is one wallet.
    """

    total: Decimal
    held: Decimal
    wallets: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One booking of the exchange; the new balance is the old plus ``amount`` less ``fee``.

    ``asset`` is named as in balances; ``balance`` is that of ``wallet``, which is empty
    for the asset itself.
    """

    ledger_id: str
    reference_id: str
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    exchange_time: datetime
    subtype: str = ""
    wallet: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """One entry of the private stream, merged with what is known of the order.

    ``kind`` is ``new``, ``trade``, ``ended``, ``amended`` or ``status``; ``fill`` is set on
    ``trade`` only. Entries of a snapshot carry ``snapshot=True`` and may repeat old ones.
    """

    kind: str
    order: OrderReport
    fill: Fill | None
    snapshot: bool
    sequence: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class StreamGap:
    """The stream lost messages or reconnected: what was missed must be asked for by REST."""

    reason: str


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """Balances as streamed: asset to new total. Holds are not part of it."""

    balances: dict[str, Decimal]
    sequence: int


@dataclass(frozen=True, slots=True)
class SentOrder:
    """An order whose sending was never answered, and what is known of the time around it.

    Attributes:
        order: what was sent.
        deadline: protocol time after which the exchange's engine begins nothing of it any more.
        heard_since: the private stream's unbroken stretch when it was first sent, if known.
        after: market time of an execution that was recorded before it was sent, if there is one.
    """

    order: OrderSpec
    deadline: datetime
    heard_since: int | None
    after: datetime | None


class Exchange(Protocol):
    """One account's view of the exchange. Every call is bounded in time and raises ExchangeError.

    Only ``submit``, ``amend`` and the cancels change anything there. ``submit`` never sends twice:
    what to do after ``UnknownOutcomeError`` is the caller's decision.
    """

    mode: Mode

    async def instruments(self) -> dict[str, Instrument]:
        """Return the USD spot pairs by symbol."""
        ...

    async def fees(self, symbols: Sequence[str]) -> dict[str, FeeRates]:
        """Return the account's real fee rates by symbol."""
        ...

    async def balances(self) -> dict[str, Balance]:
        """Return totals and holds by asset."""
        ...

    async def submit(self, order: OrderSpec, deadline: datetime | None) -> str:
        """Send an order once and return its exchange id."""
        ...

    async def find(self, order: OrderSpec, since: datetime) -> list[OrderReport]:
        """Ask for an intended order by its ids: open orders, then closed since protocol time."""
        ...

    async def appeared(self, order: OrderSpec, within: float) -> OrderReport | None:
        """Wait for the private stream to tell of an intended order, at most these seconds.

        Costs no request. None proves nothing: ``find`` does.
        """
        ...

    async def ended(self, order_id: str, within: float) -> OrderReport | None:
        """Return how an order ended if the private stream tells within these seconds, else None.

        Costs no request; None proves nothing.
        """
        ...

    async def withdrawn(self, order_id: str) -> OrderReport | None:
        """Return how an order ended whose cancel the exchange has answered, None: not proven.

        Asks the private stream for a new snapshot, for an end that neither it nor the reads tell:
        missed in a cut, and the reads behind. Costs none of the counted requests.
        """
        ...

    async def query(self, order_ids: Sequence[str]) -> dict[str, OrderReport]:
        """Return orders by exchange id."""
        ...

    async def room_for_exit(self, symbol: str, stop_ids: Sequence[str]) -> None:
        """Wait until an exit that drops these stops can be sent.

        Raises:
            RateLimitedError: it cannot.
            OrderRejectedError: the pair is known to take no sale at market now.
        """
        ...

    async def cancel(self, order_id: str) -> None:
        """Cancel one order; OrderGoneError when it is no longer open."""
        ...

    async def cancel_many(self, order_ids: Sequence[str]) -> int:
        """Cancel up to 50 orders in one request and return how many were."""
        ...

    async def amend(
        self, order_id: str, quantity: Decimal | None, trigger_price: Decimal | None
    ) -> None:
        """Change a resting order in place, keeping its ids and fills."""
        ...

    async def open_orders(self) -> list[OrderReport]:
        """Return every open order on the key."""
        ...

    async def closed_orders(self, since: datetime) -> list[OrderReport]:
        """Return orders closed since a market time, all pages, newest first."""
        ...

    async def fills(self, since: datetime | None) -> list[Fill]:
        """Return executions since a market time (None: all), all pages, oldest first."""
        ...

    async def fills_by_id(self, execution_ids: Sequence[str]) -> list[Fill]:
        """Return these executions, oldest first; OrderGoneError when one of them is unknown."""
        ...

    async def ledger(self, since: datetime | None, kind: str | None = None) -> list[LedgerEntry]:
        """Return ledger entries (of one kind) since a market time (None: all), oldest first."""
        ...

    def protecting(self) -> "Exchange":
        """Return this exchange for what a bare position waits for: its reads go before all."""
        ...

    def hurried(self) -> "Exchange":
        """Return this exchange for what may be bare unknown to us: reads next after protection."""
        ...

    def unhurried(self) -> "Exchange":
        """Return this exchange for work that can wait: its reads give way to all others."""
        ...

    def cooling_down(self) -> CoolingDown | None:
        """Return the longest time in force in which nothing signed is asked, None: none."""
        ...

    def unbroken_stretch(self) -> int | None:
        """Return the number of the private stream's unbroken stretch, None while it may miss some.

        Two equal answers say that all that happened between them was told; a message that is on
        its way still is not known of.
        """
        ...

    async def proves_absence(self, sent: SentOrder) -> bool:
        """Tell whether the exchange would have told of an order by now if it existed.

        To be asked after the order's deadline, when neither the stream nor the reads know it. Time
        proves nothing, nor does a read, which may lag behind. Proof is one of:

        * the private stream: whole since before the sending, or since a snapshot whose executions
          reach back before it, and alive after the deadline;
        * the read side: the same reads show a change that was sent after the deadline.
        """
        ...

    def seconds_until_question(self) -> float:
        """Return how long a question for a stop would wait for its turn under the rate limits."""
        ...

    def executions(self) -> AsyncIterator[ExecutionReport | BalanceReport | StreamGap]:
        """Stream the account's executions and balances; ends only by error or cancellation."""
        ...

    async def close(self) -> None:
        """Release connections and the key's lock."""
        ...


class ExchangeDirectory(Protocol):
    """Hands out each account's exchange; the same object for the same account."""

    async def exchange(self, account: str) -> Exchange:
        """Return the account's exchange; CredentialsError when it has no key for its mode."""
        ...

    async def switch(self, account: str) -> None:
        """Let go of the account's exchange: the next one is that of its mode as it is now."""
        ...

    async def close(self) -> None:
        """Close every exchange handed out."""
        ...


# --- the market --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """A public trade: market time, price and quantity of one print."""

    symbol: str
    price: Decimal
    quantity: Decimal
    trade_id: int
    exchange_time: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class BestPrices:
    """Best bid and ask with their quantities, and the quantity within one percent of the ask."""

    symbol: str
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal
    depth_quantity: Decimal
    exchange_time: datetime


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar is final: a newer one began."""

    candle: Candle


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A symbol's feed became healthy or not (silence, checksum, disconnect, exchange mode)."""

    symbol: str
    healthy: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PairChanged:
    """The rules of a pair changed: its steps, minimums or status are now these."""

    instrument: Instrument


@dataclass(frozen=True, slots=True)
class Fence:
    """All that was sent before ``MarketFeed.request_fence`` was called has been yielded."""

    number: int


MarketEvent = Tick | BestPrices | BarClosed | FeedStatus | PairChanged | Fence


class MarketFeed(Protocol):
    """The public side of the exchange for the universe."""

    async def instruments(self) -> dict[str, Instrument]:
        """Return the USD spot pairs by symbol."""
        ...

    async def history(self, symbol: str, interval_minutes: int) -> list[Candle]:
        """Return recent closed bars, oldest first (at most 720)."""
        ...

    def events(self, symbols: Sequence[str], interval_minutes: int) -> AsyncIterator[MarketEvent]:
        """Stream the market; reconnects by itself and reports the gap as FeedStatus."""
        ...

    async def request_fence(self, number: int) -> None:
        """Have ``events`` yield ``Fence(number)`` after all that was sent before this call.

        A market in lockstep needs to know that a step has been seen whole. A fence asked for
        without a connection, or lost with one, comes after the next one's snapshots.
        """
        ...


# --- the record --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An intent as stored, with what became of it."""

    spec: OrderSpec
    status: OrderStatus
    order_id: str | None
    intended_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    sends: int


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """An order that the exchange has reported, as recorded, with its recorded executions."""

    report: OrderReport
    fills: tuple[Fill, ...]

    @property
    def is_complete(self) -> bool:
        """Tell whether nothing can come any more: it is final and every execution is recorded.

        One that was executed as a whole and shows no quantity has not been told in full.
        """
        recorded = sum((fill.quantity for fill in self.fills), Decimal(0))
        untold = self.report.status is OrderStatus.CLOSED and not recorded
        known = recorded == self.report.filled_quantity and not untold
        return self.report.status.is_final and known


@dataclass(frozen=True, slots=True)
class IntentStored:
    """The intent is committed. ``halted`` is the kill switch flag read in the same transaction."""

    order: StoredOrder
    is_new: bool
    halted: bool


@dataclass(frozen=True, slots=True)
class Discrepancies:
    """What was found different from the exchange, and what was done about it.

    Attributes:
        differences: names of what differed, by kind, and still did when looked at again.
        repaired: names of what was missed, by kind, and has been told since.
        unknown_orders: orders on the key that are not ours; neither cancelled nor adopted.
        complete: a whole comparison; else only the private stream met an order.
    """

    differences: dict[str, list[str]] = field(default_factory=dict)
    repaired: dict[str, list[str]] = field(default_factory=dict)
    unknown_orders: tuple[OrderReport, ...] = ()
    complete: bool = True


class OwnershipRecord(Protocol):
    """What tells which executions no open trade owns."""

    async def unowned_fills(self, account: str) -> list[Fill]:
        """Return the executions of settled trades that have settled with other sums than these."""
        ...


class Journal(OwnershipRecord, DayBook, CapitalBook, Protocol):
    """The record of one platform: PostgreSQL behind row-level security, audited."""

    async def store_intent(
        self, order: OrderSpec, intended_at: datetime, sending_at: datetime | None = None
    ) -> IntentStored:
        """Commit an intent before its first send; returns the stored one when it exists.

        With ``sending_at`` a new intent that is not halted counts as sent at that time: the caller
        sends right after this call.
        """
        ...

    async def mark_sent(self, account: str, client_order_id: str, at: datetime) -> int:
        """Count a send before it happens and return the count: who meets a send of others asks."""
        ...

    async def newest_execution_before(self, account: str, at: datetime) -> datetime | None:
        """Return the market time of the newest execution recorded before a protocol time."""
        ...

    async def mark_order(
        self,
        account: str,
        client_order_id: str,
        status: OrderStatus,
        order_id: str | None,
        at: datetime,
        reason: str | None = None,
    ) -> None:
        """Record what became of an intent (acknowledged when it gets its exchange id)."""
        ...

    async def record_reports(self, account: str, reports: Sequence[OrderReport]) -> None:
        """Bring orders up to the exchange's reports; adds children under their parent's trade."""
        ...

    async def record_fills(self, account: str, fills: Sequence[Fill]) -> list[str]:
        """Insert fills once by execution id and return the ids that were new."""
        ...

    async def undelivered_fills(self, account: str) -> list[Fill]:
        """Return fills recorded but not yet told to their trade."""
        ...

    async def mark_delivered(self, account: str, execution_ids: Sequence[str]) -> None:
        """Note that the trade was told."""
        ...

    async def settled_trade(self, account: str, trade: int) -> TradeState | None:
        """Return the state that a trade has settled with, None while it is not settled."""
        ...

    async def orders_lacking_executions(self, account: str) -> list[str]:
        """Return orders, open or lately ended, that show more executed than is recorded.

        Who should have recorded it may have failed in between: the record was away.
        """
        ...

    async def owner_of_order(
        self,
        account: str,
        order_id: str,
        client_order_id: str | None,
        parent: str | None,
        userref: int | None = None,
    ) -> tuple[int, str | None] | None:
        """Return trade number and client order id that an order belongs to, None if unknown.

        ``userref`` finds an entry with a conditional close before its exchange id is recorded.
        """
        ...

    async def orders(self, account: str, *, only_open: bool) -> list[StoredOrder]:
        """Return stored orders."""
        ...

    async def recorded_orders(self, account: str, order_ids: Sequence[str]) -> list[RecordedOrder]:
        """Return what is recorded of orders, by exchange id, and of their children."""
        ...

    async def known_executions(self, account: str) -> set[str]:
        """Return the ids of all recorded fills."""
        ...

    async def save_trade(
        self, state: TradeState, event: str | None, at: datetime, verdict: Verdict | None = None
    ) -> None:
        """Write a trade's figures, its stop coverage and, with ``event``, an audit row.

        ``at`` is protocol time; a ``verdict`` once given stays.
        """
        ...

    async def save_account(
        self,
        state: AccountState,
        action: str | None,
        actor: str,
        details: dict[str, str],
        at: datetime,
    ) -> None:
        """Write an account's figures and, with ``action``, an audit row."""
        ...

    async def save_settings(self, account: str, record: SettingsRecord) -> None:
        """Write a version of an account's settings, once."""
        ...

    async def save_entry(self, account: str, record: EntryRecord) -> None:
        """Write what an entry was decided by, once."""
        ...

    async def save_balances(self, account: str, balances: dict[str, Decimal], at: datetime) -> None:
        """Write totals by asset as the exchange reported them (protocol time)."""
        ...

    async def record_idea(
        self, account: str, idea: Idea, verdict: Verdict, trade: int | None, at: datetime
    ) -> None:
        """Write what became of an idea, once per account and idea."""
        ...

    async def set_watches(self, account: str, trade: int, watches: Sequence[PriceWatch]) -> None:
        """Replace a trade's price watches; the market worker is notified on commit."""
        ...

    async def accounts(self) -> list[AccountState]:
        """Return every account as configured: the state its workflow starts from."""
        ...

    async def next_kill_switch_number(self) -> int:
        """Return a number for the next engagement; numbers may be skipped, never repeated."""
        ...

    async def engage_kill_switch(
        self,
        number: int,
        accounts: Sequence[str],
        *,
        flatten: bool,
        reason: str,
        by: str,
        at: datetime,
    ) -> None:
        """Raise the flag that ``store_intent`` reads, audited; a repeat changes nothing."""
        ...

    async def acknowledge_kill_switch(self, number: int, account: str, at: datetime) -> None:
        """Note that the account's workflow is halted."""
        ...

    async def lift_kill_switch(self, number: int, at: datetime) -> None:
        """Lower the flag, audited; a repeat changes nothing."""
        ...

    async def audit(
        self, account: str, actor: str, action: str, details: dict[str, str], correlation: str
    ) -> None:
        """Append an audit row to the account's hash chain."""
        ...

    async def save_approval(
        self, account: str, request: ApprovalRequest, outcome: Answer | None
    ) -> None:
        """Write where a request for approval stands, audited when that is news."""
        ...

    async def record_hedge_review(self, account: str, record: HedgeRecord) -> None:
        """Write a review of the hedge, once."""
        ...

    async def record_reconciliation(self, account: str, found: Discrepancies, at: datetime) -> None:
        """Write what was found different from the exchange; without differences it is clean."""
        ...

    async def checkpoint(self, account: str) -> datetime | None:
        """Return the market time up to which executions are known to be complete."""
        ...

    async def advance_checkpoint(self, account: str, at: datetime) -> None:
        """Move the checkpoint forward, never back."""
        ...


class MarketRecord(Protocol):
    """The market side of the record: candles, snapshots and watches."""

    async def save_candles(self, candles: Sequence[Candle]) -> int:
        """Insert closed bars, replacing equal keys, and return how many rows were written."""
        ...

    async def recent_candles(self, symbol: str, interval_minutes: int, limit: int) -> list[Candle]:
        """Return the newest closed bars, oldest first."""
        ...

    async def save_snapshots(self, snapshots: Sequence[MarketSnapshot]) -> None:
        """Write the latest snapshot per symbol."""
        ...

    async def snapshot(self, symbol: str) -> MarketSnapshot | None:
        """Return the latest snapshot of a symbol."""
        ...

    async def active_watches(self) -> list[PriceWatch]:
        """Return every watch not yet triggered, of all accounts."""
        ...

    def watch_changes(self) -> AsyncIterator[tuple[str, int, tuple[PriceWatch, ...]]]:
        """Yield (account, trade, its watches) whenever a trade's watches change."""
        ...

    async def mark_triggered(self, watch: PriceWatch, price: Decimal, at: datetime) -> bool:
        """Record a crossing; False when it was recorded before."""
        ...

    async def followers(self, strategy: str) -> list[str]:
        """Return the accounts that follow a strategy."""
        ...

    async def evidence(self, strategy: str, version: str) -> Evidence:
        """Return what a strategy version has earned, on all accounts and in backtests."""
        ...

    async def holdings(self) -> dict[str, dict[str, Decimal]]:
        """Return totals by asset of every account that holds something, open trades included."""
        ...

    async def save_equity(self, at: datetime, marks: list[AccountMark]) -> None:
        """Write equity at a market time; the first mark of an account and minute is kept."""
        ...


@dataclass(frozen=True, slots=True)
class HedgeMarketSeen:
    """What the record knows of the market for one account's hedge.

    Attributes:
        held: the pairs that the account holds, or that its hedge may buy back.
        volatilities: daily volatility by symbol, of those.
        market_volatility: the mean of all pairs followed.
        market_at: the newest market time, None before any.
    """

    held: tuple[MarketSnapshot, ...]
    volatilities: dict[str, Decimal]
    market_volatility: Decimal | None
    market_at: datetime | None


class HedgeMarket(Protocol):
    """The market as a hedge sees it."""

    async def hedge_market(self, account: str) -> HedgeMarketSeen:
        """Return the market that concerns an account's hedge."""
        ...


# --- secrets and messages ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Credentials:
    """An exchange key. ``repr`` never shows the secret."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"Credentials(key=…{self.key[-4:]}, secret=hidden)"


class Secrets(Protocol):
    """Where credentials live; never in a payload, log or answer."""

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        """Return the account's key for a mode, None when there is none."""
        ...


class Notifier(Protocol):
    """Tells people what they must know."""

    async def notify(self, subject: str, message: str) -> None:
        """Send one message."""
        ...


class Messenger(Protocol):
    """Tells running workflows facts; unknown or finished workflows are reported as False."""

    async def reopen_trade(self, state: TradeState, facts: Sequence[object]) -> None:
        """Run a settled trade again from the state it has settled with, and tell it facts."""
        ...

    async def tell_trade(self, account: str, trade: int, facts: Sequence[object]) -> bool:
        """Signal facts to a trade."""
        ...

    async def tell_account(self, account: str, facts: Sequence[object]) -> bool:
        """Signal facts to an account."""
        ...

    async def tell_hedge(self, account: str, facts: Sequence[object]) -> bool:
        """Signal facts to the hedge of an account."""
        ...

    async def tell_kill_switch(self, number: int, fact: AccountAcknowledged) -> bool:
        """Signal an acknowledgement to a kill switch."""
        ...

    async def ask_account(
        self, account: str, update: str, request_id: str, fact: object
    ) -> Answer | None:
        """Ask an account and wait for its answer, None when it does not run."""
        ...

    async def ask_trade(
        self, account: str, trade: int, update: str, request_id: str, fact: object
    ) -> Answer | None:
        """Ask a trade and wait for its answer, None when it is over."""
        ...
