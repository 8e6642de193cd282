"""The exchange as one object: feed it market steps and requests, read its answers and events.

Pure and seeded: the same construction and the same calls give the same answers, ids and events.
Nothing here reads a clock; each request brings its ``Moment``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.late_fills import fill_canceled
from models.simulation.engine.matching import apply_symbol
from models.simulation.engine.orders import (
    AmendRecord,
    AmendRequest,
    EditRequest,
    Execution,
    LedgerEntry,
    Moment,
    Order,
    OrderRequest,
)
from models.simulation.errors import VenueError
from models.simulation.events import Event, StatusChanged
from models.simulation.exchange_state import ExchangeState
from models.simulation.gateway.amending import amend, edit
from models.simulation.gateway.canceling import (
    arm_dead_man,
    cancel_all,
    cancel_batch,
    cancel_orders,
    fire_dead_men,
)
from models.simulation.gateway.placing import (
    handle_due,
    open_account,
    place,
    place_batch,
    place_rest,
)
from models.simulation.gateway.rates import VerificationTier
from models.simulation.ledger.fees import figures
from models.simulation.ledger.funding import Row, book_rows, earn, transfer
from models.simulation.ledger.views import view_balances, view_book, view_order, view_trade_balance
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
from models.simulation.pair_changes import alter_pair, check_pair_change, step_on_tick
from models.simulation.snapshot import dump, load
from models.simulation.steps import MarketStep
from models.simulation.symbols import Directory
from models.trading.instruments import Instrument, InstrumentStatus


class Venue:
    """A spot exchange for a fixed set of instruments and accounts.

    Every command raises ``VenueError`` with Kraken's string when it is refused. Events come back
    with the answer, in the order in which they happened.
    """

    def __init__(
        self,
        instruments: Iterable[Instrument],
        accounts: Iterable[AccountSetup],
        seed: int,
        start: datetime,
        options: VenueOptions | None = None,
    ) -> None:
        self.directory = Directory(instruments)
        self._exchange_state = ExchangeState(self.directory, seed, start, options or VenueOptions())
        for setup in accounts:
            open_account(self._exchange_state, setup)
        self._exchange_state.take_events()

    @property
    def market_time(self) -> datetime:
        """Return the latest market time seen."""
        return self._exchange_state.market_time

    # --- the market ------------------------------------------------------------------------

    def apply_step(self, step: MarketStep, wall: datetime) -> list[Event]:
        """Let the market move: expiries and starts, prints, the new book, then what follows."""
        exchange_state = self._exchange_state
        self._enter(Moment(step.at, wall))
        for one in step_on_tick(exchange_state, step).symbols:
            apply_symbol(exchange_state, one)
        return exchange_state.take_events()

    def advance(self, moment: Moment) -> list[Event]:
        """Expire and start orders that are due, and fire due dead-man switches."""
        self._enter(moment)
        fire_dead_men(self._exchange_state, moment.wall)
        return self._exchange_state.take_events()

    def expire_timers(self, wall: datetime) -> list[Event]:
        """Cancel all orders of accounts whose dead-man switch is due at protocol time ``wall``."""
        self._exchange_state.wall_time = max(self._exchange_state.wall_time, wall)
        fire_dead_men(self._exchange_state, wall)
        return self._exchange_state.take_events()

    # --- orders ----------------------------------------------------------------------------

    def add_order(self, account: str, request: OrderRequest, moment: Moment) -> Placement:
        """Place (or only validate) an order."""
        with self._request(moment) as exchange_state:
            return place(exchange_state, account, request, moment)

    def add_order_rest(
        self, account: str, parameters: Mapping[str, str], moment: Moment
    ) -> Placement:
        """Place an order from AddOrder's flat REST parameters (``close[ordertype]`` and all)."""
        with self._request(moment) as exchange_state:
            return place_rest(exchange_state, account, parameters, moment)

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
        with self._request(moment) as exchange_state:
            return place_batch(
                exchange_state,
                account,
                symbol,
                requests,
                moment,
                validate=validate,
                deadline=deadline,
            )

    def amend(self, account: str, request: AmendRequest, moment: Moment) -> Amendment:
        """Change an order in place."""
        with self._request(moment) as exchange_state:
            return amend(exchange_state, account, request, moment)

    def edit(self, account: str, request: EditRequest, moment: Moment) -> Edition:
        """Cancel an order and place a changed one under a new txid."""
        with self._request(moment) as exchange_state:
            return edit(exchange_state, account, request, moment)

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
        with self._request(moment) as exchange_state:
            return cancel_orders(
                exchange_state, account, moment, txid=txid, cl_ord_id=cl_ord_id, userref=userref
            )

    def cancel_batch(
        self,
        account: str,
        moment: Moment,
        *,
        references: Sequence[str | int] = (),
        cl_ord_ids: Sequence[str] = (),
    ) -> Cancellation:
        """Cancel up to 50 orders by txid or userref, and by cl_ord_id; unknown ones are skipped."""
        with self._request(moment) as exchange_state:
            return cancel_batch(exchange_state, account, moment, references, cl_ord_ids)

    def cancel_all(self, account: str, moment: Moment) -> Cancellation:
        """Cancel every live order of the account."""
        with self._request(moment) as exchange_state:
            return cancel_all(exchange_state, account, moment)

    def cancel_all_after(self, account: str, timeout: int, moment: Moment) -> DeadManSwitch:
        """Arm the dead-man switch for ``timeout`` seconds from now, or disarm it with 0."""
        return arm_dead_man(self._exchange_state, account, timeout, moment)

    # --- limits and modes ------------------------------------------------------------------

    def charge_call(self, account: str, key: str, cost: int, wall: datetime) -> None:
        """Charge a REST call to the counter of an API key.

        Raises:
            VenueError: ``EAPI:Rate limit exceeded``; nothing is charged then.
        """
        book = self._exchange_state.account(account)
        limits, counter = book.limits, book.call_counter(key)
        if counter.level(wall, limits.calls_decay) + cost > limits.calls_maximum:
            raise VenueError("EAPI:Rate limit exceeded")
        counter.charge(Decimal(cost), wall, limits.calls_decay)

    def rate_count(self, account: str, symbol: str, wall: datetime) -> Decimal:
        """Return the trading-engine counter of account and pair after decay."""
        book = self._exchange_state.account(account)
        return book.engine_counter(symbol).level(wall, book.limits.engine_decay)

    def rate_maximum(self, account: str) -> Decimal:
        """Return the threshold of the trading-engine counter (``maxratecount``)."""
        return self._exchange_state.account(account).limits.engine_maximum

    def tier(self, account: str) -> VerificationTier:
        """Return the verification tier of an account."""
        return self._exchange_state.account(account).tier

    @property
    def system_status(self) -> str:
        """Return ``online``, ``maintenance``, ``cancel_only``, ``post_only`` or ``limit_only``."""
        return self._exchange_state.system_status.value

    def set_system_status(self, status: str) -> list[Event]:
        """Put the whole exchange into a mode."""
        self._exchange_state.system_status = InstrumentStatus(status)
        self._exchange_state.emit(StatusChanged(None, status, self.market_time))
        return self._exchange_state.take_events()

    def pair_status(self, symbol: str) -> InstrumentStatus:
        """Return the mode of one pair."""
        return self._exchange_state.pair_status[symbol]

    def set_pair_status(self, symbol: str, status: InstrumentStatus) -> list[Event]:
        """Put one pair into a mode."""
        self._exchange_state.instrument(symbol)
        self._exchange_state.pair_status[symbol] = status
        self._exchange_state.emit(StatusChanged(symbol, status.value, self.market_time))
        return self._exchange_state.take_events()

    def is_listed(self, symbol: str) -> bool:
        """Tell whether a pair is listed."""
        return self._exchange_state.pair_status[symbol] is not InstrumentStatus.DELISTED

    def instrument(self, symbol: str) -> Instrument:
        """Return a pair as it is now."""
        return self._exchange_state.instrument(symbol)

    def is_altered(self, symbol: str) -> bool:
        """Tell whether a pair was changed since the exchange began."""
        return symbol in self._exchange_state.pair_changes

    def check_pair_change(self, symbol: str, change: Mapping[str, Any]) -> None:
        """Raise PairChangeError when a pair cannot be changed so."""
        check_pair_change(self._exchange_state, symbol, change)

    def alter_pair(self, symbol: str, change: Mapping[str, Any]) -> list[Event]:
        """Change what the exchange says of a pair (fields of AssetPairs); PairChangeError."""
        alter_pair(self._exchange_state, symbol, change)
        return self._exchange_state.take_events()

    # --- capital ---------------------------------------------------------------------------

    def transfer(
        self, account: str, reference: str, asset: str, amount: Decimal, moment: Moment
    ) -> tuple[LedgerEntry, list[Event]]:
        """Book a deposit or (negative) a withdrawal, once per reference."""
        with self._request(moment) as exchange_state:
            entry = transfer(exchange_state, account, reference, asset, amount)
            return entry, exchange_state.take_events()

    def book_rows(
        self, account: str, reference: str, rows: Sequence[Row], moment: Moment
    ) -> tuple[tuple[LedgerEntry, ...], list[Event]]:
        """Book ledger rows of any type together, once per reference."""
        with self._request(moment) as exchange_state:
            entries = book_rows(exchange_state, account, reference, rows)
            return entries, exchange_state.take_events()

    def earn(self, account: str, moment: Moment) -> list[Event]:
        """Move all coins of an account to the wallets in which they earn by themselves."""
        with self._request(moment) as exchange_state:
            earn(exchange_state, account)
            return exchange_state.take_events()

    def fill_canceled(self, account: str, symbol: str, moment: Moment) -> list[Event]:
        """Fill the newest canceled limit purchase of a pair after all."""
        with self._request(moment) as exchange_state:
            fill_canceled(exchange_state, account, symbol)
            return exchange_state.take_events()

    # --- public view -----------------------------------------------------------------------

    def book(self, symbol: str, depth: int | None = None) -> BookView:
        """Return the public book of a symbol, best first."""
        return view_book(self._exchange_state.books[symbol], depth)

    def last_trade(self, symbol: str) -> Decimal | None:
        """Return the price of the last public trade, None before the first."""
        return self._exchange_state.books[symbol].last

    def last_trade_id(self, symbol: str) -> int:
        """Return the number of the last public trade, 0 before the first."""
        return self._exchange_state.books[symbol].last_trade_id

    # --- an account's view (copies, oldest first) --------------------------------------------

    @property
    def accounts(self) -> tuple[str, ...]:
        """Return the names of all accounts."""
        return tuple(self._exchange_state.accounts)

    def order(self, account: str, txid: str) -> Order | None:
        """Return one order, live or done, None when this account never had it."""
        order = self._exchange_state.account(account).orders.get(txid)
        return None if order is None else view_order(order)

    def open_orders(self, account: str) -> list[Order]:
        """Return live orders (pending and open)."""
        return [order.copy() for order in self._exchange_state.account(account).live.values()]

    def closed_orders(self, account: str) -> list[Order]:
        """Return orders that are done, in the order in which they were placed."""
        orders = self._exchange_state.account(account).orders.values()
        return [order for order in orders if not order.status.is_live]

    def all_orders(self, account: str) -> list[Order]:
        """Return all orders ever."""
        return [view_order(one) for one in self._exchange_state.account(account).orders.values()]

    def executions(self, account: str) -> list[Execution]:
        """Return all fills ever."""
        return list(self._exchange_state.account(account).executions.values())

    def execution_count(self, account: str) -> int:
        """Return how many fills there were ever."""
        return len(self._exchange_state.account(account).executions)

    def open_order_count(self, account: str) -> int:
        """Return how many orders are live (pending and open)."""
        return len(self._exchange_state.account(account).live)

    def execution(self, account: str, txid: str) -> Execution | None:
        """Return one fill by its trade id (``T…``)."""
        return self._exchange_state.account(account).executions.get(txid)

    def ledger(self, account: str) -> list[LedgerEntry]:
        """Return all ledger entries ever."""
        return list(self._exchange_state.account(account).ledger)

    def amends(self, account: str, txid: str) -> list[AmendRecord]:
        """Return the versions of an order, the original first."""
        return list(self._exchange_state.account(account).amends.get(txid, ()))

    def balances(self, account: str) -> dict[str, Balance]:
        """Return totals and holds by v2 asset name."""
        return view_balances(self._exchange_state.account(account))

    def trade_balance(self, account: str) -> TradeBalance:
        """Return the figures of TradeBalance in USD."""
        return view_trade_balance(self._exchange_state, self._exchange_state.account(account))

    def volume_30d(self, account: str) -> Decimal:
        """Return the traded volume of the last 30 days of market time, in USD."""
        return self._exchange_state.account(account).volume(self.market_time)

    def fees(self, account: str, symbol: str) -> tuple[FeeFigures, FeeFigures]:
        """Return taker and maker figures of one pair at the account's volume."""
        volume, day = self.volume_30d(account), self.market_time.date()
        return figures(self._exchange_state.instrument(symbol), volume, day)

    # --- persistence -----------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the whole state as JSON-ready values; Decimals are strings, so it is exact."""
        return dump(self._exchange_state)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state of a venue built with the same instruments, accounts and seed."""
        load(self._exchange_state, state)

    def _enter(self, moment: Moment) -> None:
        exchange_state = self._exchange_state
        exchange_state.wall_time = max(exchange_state.wall_time, moment.wall)
        handle_due(exchange_state, moment.market)

    @contextmanager
    def _request(self, moment: Moment) -> Iterator[ExchangeState]:
        """Bring time up to the moment of a request; its events come before the request's own.

        What time itself brought about is kept for the next answer when the request is refused.
        """
        self._enter(moment)
        yield self._exchange_state
