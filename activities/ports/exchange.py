"""The private side of the exchange, one account at a time."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from activities.ports.exchange_errors import CoolingDown
from models.trading.instruments import Instrument
from models.trading.orders import Fill, OrderReport, OrderSpec
from models.trading.risk.limits import FeeRates, Mode


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

    async def reprice(self, order_id: str, limit_price: Decimal, *, post_only: bool) -> None:
        """Move the limit of a resting entry in place; without ``post_only`` it may take."""
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

    def stream_epoch(self) -> int | None:
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
