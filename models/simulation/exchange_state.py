"""The state that every part of the exchange works on, and the words they share."""

from collections import deque
from datetime import datetime
from decimal import Decimal
from typing import Any

from models.simulation.engine.book import PairBook
from models.simulation.engine.orders import Execution, Order
from models.simulation.errors import VenueError
from models.simulation.events import BookChanged, Event, ExecutionType, OrderChanged
from models.simulation.ledger.accounts import AccountBook
from models.simulation.ledger.fees import rates
from models.simulation.outcomes import VenueOptions
from models.simulation.symbols import Directory
from models.trading.instruments import Instrument, InstrumentStatus
from models.trading.risk.limits import FeeRates

ZERO = Decimal(0)


class ExchangeState:
    """Books, accounts, modes and the two queues: events to tell, orders about to enter.

    ``incoming`` holds orders that must wait until the present match is finished: fired stops,
    children of a conditional close. ``counterparty`` books the other side of every fill and every
    fee, so that each asset adds up to what was deposited.
    """

    def __init__(
        self, directory: Directory, seed: int, start: datetime, options: VenueOptions
    ) -> None:
        self.directory = directory
        self.seed = seed
        self.options = options
        self.market_time = start
        self.wall_time = start
        self.system_status = InstrumentStatus.ONLINE
        self.pair_status = {s: i.status for s, i in directory.instruments.items()}
        self.pair_changes: dict[str, dict[str, Any]] = {}
        self.books = {s: PairBook(i) for s, i in directory.instruments.items()}
        self.accounts: dict[str, AccountBook] = {}
        self.counterparty: dict[str, Decimal] = {}
        self.priority = 0
        self.timed: dict[str, Order] = {}
        self.events: list[Event] = []
        self.incoming: deque[Order] = deque()

    def account(self, name: str) -> AccountBook:
        """Return an account; the server only asks for accounts that exist."""
        book = self.accounts.get(name)
        if book is None:
            raise VenueError("EAPI:Invalid key")
        return book

    def instrument(self, symbol: str) -> Instrument:
        """Return the pair of a v2 symbol, or refuse as unknown."""
        instrument = self.directory.instruments.get(symbol)
        if instrument is None:
            raise VenueError("EQuery:Unknown asset pair")
        return instrument

    def fee_rates(self, account: AccountBook, instrument: Instrument) -> FeeRates:
        """Return the account's present rates in a pair."""
        volume = account.volume(self.market_time)
        if self.options.schedule is not None:
            return self.options.schedule.rates(volume)
        return rates(instrument, volume, self.market_time.date())

    def is_halted(self, symbol: str) -> bool:
        """Tell whether nothing is matched: maintenance or cancel_only, of system or pair.

        A pair that is delisted, or not open yet, is not matched either.
        """
        stopped = (
            InstrumentStatus.MAINTENANCE,
            InstrumentStatus.CANCEL_ONLY,
            InstrumentStatus.DELISTED,
            InstrumentStatus.WORK_IN_PROGRESS,
        )
        return self.system_status in stopped or self.pair_status[symbol] in stopped

    def next_priority(self) -> int:
        """Return the next place in time priority."""
        self.priority += 1
        return self.priority

    def emit(self, event: Event) -> None:
        """Tell an event."""
        self.events.append(event)

    def emit_order(
        self,
        kind: ExecutionType,
        order: Order,
        execution: Execution | None = None,
        amend_id: str | None = None,
    ) -> None:
        """Tell what happened to an order, with a copy of it."""
        self.events.append(
            OrderChanged(order.account, kind, order.copy(), self.market_time, execution, amend_id)
        )

    def emit_book(self, symbol: str) -> None:
        """Tell that a public book may have changed."""
        self.events.append(BookChanged(symbol, self.market_time))

    def take_events(self) -> list[Event]:
        """Return the events told since the last call."""
        events, self.events = self.events, []
        return events
