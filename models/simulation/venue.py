"""The exchange as one object: feed it market steps and requests, read its answers and events.

Pure and seeded: the same construction and the same calls give the same answers, ids and events.
Nothing here reads a clock; each request brings its ``Moment``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.events import Event
from models.simulation.orders import (
    AmendRecord,
    AmendRequest,
    EditRequest,
    Execution,
    LedgerEntry,
    Moment,
    Order,
    OrderRequest,
)
from models.simulation.outcomes import (
    AccountSetup,
    Amendment,
    Balance,
    BatchPlacement,
    BookView,
    Cancellation,
    DeadManSwitch,
    Edition,
    FeeFigures,
    Placement,
    TradeBalance,
    VenueOptions,
)
from models.simulation.rates import VerificationTier
from models.simulation.steps import MarketStep
from models.simulation.symbols import Directory
from models.trading.instruments import Instrument, InstrumentStatus


class Venue:
    """A spot exchange for a fixed set of instruments and accounts.

    Every command raises ``VenueError`` with Kraken's string when it is refused. Events come back
    with the answer, in the order in which they happened.
    """

    directory: Directory
    market_time: datetime

    def __init__(
        self,
        instruments: Iterable[Instrument],
        accounts: Iterable[AccountSetup],
        seed: int,
        start: datetime,
        options: VenueOptions = VenueOptions(),
    ) -> None:
        raise NotImplementedError

    # --- the market ------------------------------------------------------------------------

    def apply_step(self, step: MarketStep, wall: datetime) -> list[Event]:
        """Let the market move: expiries and starts, prints, the new book, then what follows."""
        raise NotImplementedError

    def advance(self, moment: Moment) -> list[Event]:
        """Expire and start orders that are due, and fire due dead-man switches."""
        raise NotImplementedError

    def expire_timers(self, wall: datetime) -> list[Event]:
        """Cancel all orders of accounts whose dead-man switch is due at protocol time ``wall``."""
        raise NotImplementedError

    # --- orders ----------------------------------------------------------------------------

    def add_order(self, account: str, request: OrderRequest, moment: Moment) -> Placement:
        """Place (or only validate) an order."""
        raise NotImplementedError

    def add_order_rest(
        self, account: str, parameters: Mapping[str, str], moment: Moment
    ) -> Placement:
        """Place an order from AddOrder's flat REST parameters (``close[ordertype]`` and all)."""
        raise NotImplementedError

    def add_batch(
        self,
        account: str,
        symbol: str,
        requests: Sequence[OrderRequest],
        moment: Moment,
        *,
        validate: bool = False,
        deadline: datetime | None = None,
    ) -> BatchPlacement:
        """Place 2 to 15 orders of one pair: all are refused if the arguments of one are wrong."""
        raise NotImplementedError

    def amend(self, account: str, request: AmendRequest, moment: Moment) -> Amendment:
        """Change an order in place."""
        raise NotImplementedError

    def edit(self, account: str, request: EditRequest, moment: Moment) -> Edition:
        """Cancel an order and place a changed one under a new txid."""
        raise NotImplementedError

    def cancel(
        self,
        account: str,
        moment: Moment,
        *,
        txid: str | None = None,
        cl_ord_id: str | None = None,
        userref: int | None = None,
    ) -> Cancellation:
        """Cancel the order with this id, or all orders with this userref."""
        raise NotImplementedError

    def cancel_batch(
        self,
        account: str,
        moment: Moment,
        *,
        references: Sequence[str | int] = (),
        cl_ord_ids: Sequence[str] = (),
    ) -> Cancellation:
        """Cancel up to 50 orders by txid or userref, and by cl_ord_id; unknown ones are skipped."""
        raise NotImplementedError

    def cancel_all(self, account: str, moment: Moment) -> Cancellation:
        """Cancel every live order of the account."""
        raise NotImplementedError

    def cancel_all_after(self, account: str, timeout: int, moment: Moment) -> DeadManSwitch:
        """Arm the dead-man switch for ``timeout`` seconds from now, or disarm it with 0."""
        raise NotImplementedError

    # --- limits and modes ------------------------------------------------------------------

    def charge_call(self, account: str, key: str, cost: int, wall: datetime) -> None:
        """Charge a REST call to the counter of an API key, or raise ``EAPI:Rate limit exceeded``."""
        raise NotImplementedError

    def rate_count(self, account: str, symbol: str, wall: datetime) -> Decimal:
        """Return the trading-engine counter of account and pair after decay."""
        raise NotImplementedError

    def rate_maximum(self, account: str) -> Decimal:
        """Return the threshold of the trading-engine counter (``maxratecount``)."""
        raise NotImplementedError

    def tier(self, account: str) -> VerificationTier:
        """Return the verification tier of an account."""
        raise NotImplementedError

    @property
    def system_status(self) -> str:
        """Return ``online``, ``maintenance``, ``cancel_only``, ``post_only`` or ``limit_only``."""
        raise NotImplementedError

    def set_system_status(self, status: str) -> list[Event]:
        """Put the whole exchange into a mode."""
        raise NotImplementedError

    def pair_status(self, symbol: str) -> InstrumentStatus:
        """Return the mode of one pair."""
        raise NotImplementedError

    def set_pair_status(self, symbol: str, status: InstrumentStatus) -> list[Event]:
        """Put one pair into a mode."""
        raise NotImplementedError

    # --- public view -----------------------------------------------------------------------

    def book(self, symbol: str, depth: int | None = None) -> BookView:
        """Return the public book of a symbol, best first."""
        raise NotImplementedError

    def last_trade(self, symbol: str) -> Decimal | None:
        """Return the price of the last public trade, None before the first."""
        raise NotImplementedError

    def last_trade_id(self, symbol: str) -> int:
        """Return the number of the last public trade, 0 before the first."""
        raise NotImplementedError

    # --- an account's view (copies, oldest first) --------------------------------------------

    @property
    def accounts(self) -> tuple[str, ...]:
        """Return the names of all accounts."""
        raise NotImplementedError

    def order(self, account: str, txid: str) -> Order | None:
        """Return one order, live or done, None when this account never had it."""
        raise NotImplementedError

    def open_orders(self, account: str) -> list[Order]:
        """Return live orders (pending and open)."""
        raise NotImplementedError

    def closed_orders(self, account: str) -> list[Order]:
        """Return orders that are done, in the order in which they were placed."""
        raise NotImplementedError

    def all_orders(self, account: str) -> list[Order]:
        """Return all orders ever."""
        raise NotImplementedError

    def executions(self, account: str) -> list[Execution]:
        """Return all fills ever."""
        raise NotImplementedError

    def execution(self, account: str, txid: str) -> Execution | None:
        """Return one fill by its trade id (``T…``)."""
        raise NotImplementedError

    def ledger(self, account: str) -> list[LedgerEntry]:
        """Return all ledger entries ever."""
        raise NotImplementedError

    def amends(self, account: str, txid: str) -> list[AmendRecord]:
        """Return the versions of an order, the original first."""
        raise NotImplementedError

    def balances(self, account: str) -> dict[str, Balance]:
        """Return totals and holds by v2 asset name."""
        raise NotImplementedError

    def trade_balance(self, account: str) -> TradeBalance:
        """Return the figures of TradeBalance in USD."""
        raise NotImplementedError

    def volume_30d(self, account: str) -> Decimal:
        """Return the traded volume of the last 30 days of market time, in USD."""
        raise NotImplementedError

    def fees(self, account: str, symbol: str) -> tuple[FeeFigures, FeeFigures]:
        """Return taker and maker figures of one pair at the account's volume."""
        raise NotImplementedError

    # --- persistence -----------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the whole state as JSON-ready values; Decimals are strings, so it is exact."""
        raise NotImplementedError

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of a venue built with the same instruments, accounts and seed."""
        raise NotImplementedError
