"""Kraken's rate counters, modelled so that our requests are never refused for rate (§4).

Two counters: one per key for REST reads, one per pair for the trading engine. Both rise by the cost
of a request and decay continuously. Requests wait here, most important first, until they fit.
"""

import asyncio
import heapq
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from activities.adapters.kraken.limits.persisted_counter import PersistedCounter
from activities.adapters.kraken.limits.priority_gate import Priority
from activities.ports.exchange_errors import RateLimitedError


@dataclass(frozen=True, slots=True)
class Tier:
    """Limits of a verification level: counter maxima and their decay per second."""

    name: str
    read_maximum: float
    read_decay: float
    trading_maximum: float
    trading_decay: float
    open_orders_per_pair: int


STARTER = Tier("starter", 15, 0.33, 60, 1.0, 60)
INTERMEDIATE = Tier("intermediate", 20, 0.5, 125, 2.34, 80)
PRO = Tier("pro", 20, 1.0, 180, 3.75, 225)
TIERS = {tier.name: tier for tier in (STARTER, INTERMEDIATE, PRO)}

ADD_COST = 1.0
# An exit at a target: that, three collars and the market (models/trading/execution.py).
EXIT_SENDS = 5
# Lookups by client id cost two and history pages two to four; budget the most (§4.1).
LOOKUP_COST = 2.0
HISTORY_COST = 4.0
# Open orders, the newest closed ones, and those of its id where the newest are not all.
PROOF_COST = 1.0 + 1.0 + LOOKUP_COST

_AMEND_AGES = ((5.0, 3.0), (10.0, 2.0), (15.0, 1.0))
_CANCEL_AGES = ((5.0, 8.0), (10.0, 6.0), (15.0, 5.0), (45.0, 4.0), (90.0, 2.0), (300.0, 1.0))

# Share of a counter's maximum that each priority may fill: the rest is kept for protection.
_CEILINGS = {
    Priority.PROTECT: 1.0,
    # What may have been bought unheard is looked for again and again: that must leave room to ask
    # what became of a stop that was cancelled for a sale.
    Priority.RECOVERY: 0.8,
    Priority.EXIT: 0.7,
    Priority.ENTRY: 0.65,
    Priority.READ: 0.5,
    Priority.BACKGROUND: 0.25,
}


def amend_cost(age_seconds: float) -> float:
    """Return the cost of an amend by the order's age since creation or last amend (§4.2)."""
    return 1.0 + _by_age(_AMEND_AGES, age_seconds)


def cancel_cost(age_seconds: float) -> float:
    """Return the cost of a cancel by the order's age since creation or last amend (§4.2)."""
    return _by_age(_CANCEL_AGES, age_seconds)


def _by_age(table: tuple[tuple[float, float], ...], age_seconds: float) -> float:
    return next((cost for limit, cost in table if age_seconds < limit), 0.0)


class Counter:
    """One decaying counter and those who wait to fit under it."""

    def __init__(
        self,
        maximum: float,
        decay: float,
        clock: Callable[[], float],
        waiting_maximum: int,
        kept: PersistedCounter | None = None,
    ) -> None:
        self.maximum = maximum
        self._decay = decay
        self._clock = clock
        self._kept = kept
        self._level = 0.0 if kept is None else kept.load(decay, maximum)
        self._at = clock()
        self._waiting: list[tuple[Priority, int, float, asyncio.Future[None]]] = []
        self._waiting_maximum = waiting_maximum
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def level(self) -> float:
        """Return the counter now, decayed."""
        now = self._clock()
        # A clock that steps back must not raise the counter.
        self._level = max(0.0, self._level - max(0.0, now - self._at) * self._decay)
        self._at = now
        return self._level

    def charge(self, cost: float) -> None:
        """Add a cost without asking, even beyond the maximum."""
        self._set(self.level + cost)

    def refund(self, cost: float) -> None:
        """Take a charge back: its request never reached the exchange."""
        self._set(max(0.0, self.level - cost))

    def fill(self) -> None:
        """Set the counter to its maximum: the exchange says that it is there."""
        self._set(max(self.level, self.maximum))

    def _set(self, level: float) -> None:
        self._level = level
        if self._kept is not None:
            self._kept.save(level)

    def seconds_until(self, cost: float, priority: Priority) -> float:
        """Return how long until a cost fits under the priority's ceiling."""
        room = max(0.0, self.maximum * _CEILINGS[priority] - cost)
        return max(0.0, self.level - room) / self._decay

    async def admit(self, cost: float, priority: Priority, patience_seconds: float) -> None:
        """Wait until the cost fits and charge it; RateLimitedError when that takes too long."""
        if not self._must_wait(priority) and self.seconds_until(cost, priority) <= 0:
            self.charge(cost)
            return
        expected = self.seconds_until(cost, priority)
        if expected > patience_seconds or len(self._waiting) >= self._waiting_maximum:
            raise _over_budget(expected)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), cost, turn))
        self._serve()
        try:
            async with asyncio.timeout(patience_seconds):
                await turn
        except TimeoutError:
            raise _over_budget(self.seconds_until(cost, priority)) from None
        finally:
            turn.cancel()

    def _must_wait(self, priority: Priority) -> bool:
        self._drop_the_gone()
        return bool(self._waiting) and self._waiting[0][0] <= priority

    def _drop_the_gone(self) -> None:
        while self._waiting and self._waiting[0][3].done():
            heapq.heappop(self._waiting)

    def _serve(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._drop_the_gone()
        while self._waiting:
            priority, _, cost, turn = self._waiting[0]
            wait = self.seconds_until(cost, priority)
            if wait > 0:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(wait + 0.001, self._serve)
                return
            heapq.heappop(self._waiting)
            self.charge(cost)
            turn.set_result(None)
            self._drop_the_gone()


def _over_budget(seconds: float) -> RateLimitedError:
    return RateLimitedError(
        f"our own rate budget has no room for {seconds:.1f} s",
        retry_after_seconds=max(seconds, 0.1),
    )


@dataclass(frozen=True, slots=True)
class Headroom:
    """What is left, as shares from 0 to 1; ``refusals`` counts defects of this model."""

    reads: float
    trading: dict[str, float]
    refusals: int


class OrderAges:
    """Pair and age of orders, so that an amend or cancel can be priced; forgets the oldest."""

    def __init__(self, clock: Callable[[], float], remembered: int = 5_000) -> None:
        self._clock = clock
        self._remembered = remembered
        self._orders: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def touch(self, order_id: str, symbol: str) -> None:
        """Note that an order was created or amended now."""
        self._orders[order_id] = (symbol, self._clock())
        self._orders.move_to_end(order_id)
        while len(self._orders) > self._remembered:
            self._orders.popitem(last=False)

    def learn(self, order_id: str, symbol: str) -> None:
        """Note an order seen in a report; one not known before counts as new, which costs most."""
        if order_id not in self._orders:
            self.touch(order_id, symbol)

    def symbol(self, order_id: str) -> str:
        """Return the pair of an order, an empty text when unknown."""
        return self._orders.get(order_id, ("", 0.0))[0]

    def age(self, order_id: str) -> float:
        """Return seconds since creation or amend; 0 when unknown, which costs most."""
        known = self._orders.get(order_id)
        return 0.0 if known is None else max(0.0, self._clock() - known[1])


class RateBudget:
    """The counters of one key: every private request asks here before it is sent."""

    def __init__(
        self,
        tier: Tier = INTERMEDIATE,
        clock: Callable[[], float] = time.monotonic,
        patience_seconds: float = 10.0,
        waiting_maximum: int = 256,
        kept_reads: PersistedCounter | None = None,
    ) -> None:
        """``kept_reads`` is what an earlier process of this key has left of the REST counter."""
        self.tier = tier
        self.orders = OrderAges(clock)
        self.refusals = 0
        self._patience = patience_seconds
        self._reads = Counter(
            tier.read_maximum, tier.read_decay, clock, waiting_maximum, kept_reads
        )
        self._trading: defaultdict[str, Counter] = defaultdict(
            lambda: Counter(tier.trading_maximum, tier.trading_decay, clock, waiting_maximum)
        )

    async def admit_read(self, cost: float = 1.0, priority: Priority = Priority.READ) -> None:
        """Wait for room on the REST counter; RateLimitedError when patience ends."""
        await self._reads.admit(cost, priority, self._patience)

    def seconds_until_read(self, cost: float, priority: Priority) -> float:
        """Return how long a read would wait for room, were nobody waiting before it."""
        return self._reads.seconds_until(cost, priority)

    def refund_read(self, cost: float) -> None:
        """Take back the charge of a read that was never sent: an outage must not use up room."""
        self._reads.refund(cost)

    async def admit_add(
        self, symbol: str, priority: Priority, within_seconds: float | None = None
    ) -> None:
        """Wait for room to add an order in a pair, no longer than it could still be sent."""
        patience = self._patience
        if within_seconds is not None:
            patience = min(patience, within_seconds)
        await self._trading[symbol].admit(ADD_COST, priority, patience)

    async def admit_amend(self, order_id: str, priority: Priority) -> None:
        """Wait for room to amend an order."""
        cost = amend_cost(self.orders.age(order_id))
        await self._trading[self.orders.symbol(order_id)].admit(cost, priority, self._patience)

    async def admit_cancel(self, order_id: str) -> None:
        """Wait for room to cancel an order; cancels go before everything else."""
        cost = cancel_cost(self.orders.age(order_id))
        counter = self._trading[self.orders.symbol(order_id)]
        await counter.admit(cost, Priority.PROTECT, self._patience)

    async def await_room_for_exit(self, symbol: str, stop_ids: Sequence[str]) -> None:
        """Wait until stops can be cancelled, the exit sent, and a stop put back if that fails.

        And until it can be asked what became of the exit, should its answer be lost: the stop comes
        back only then. Where stops are given up there is room for every further try as well, so
        that none waits while nothing is protected. Nothing is charged: each is admitted by itself
        when its turn comes.
        """
        await self._reads.admit(PROOF_COST, Priority.PROTECT, self._patience)
        self._reads.refund(PROOF_COST)
        sends = EXIT_SENDS if stop_ids else 1
        cost = (sends + 1) * ADD_COST + sum(cancel_cost(self.orders.age(name)) for name in stop_ids)
        counter = self._trading[symbol]
        await counter.admit(cost, Priority.EXIT, self._patience)
        counter.refund(cost)

    def charge_batch_cancel(self, order_ids: list[str]) -> None:
        """Charge a batch cancel, which the exchange accepts even when it overshoots (§4.2)."""
        for order_id in order_ids:
            cost = cancel_cost(self.orders.age(order_id))
            self._trading[self.orders.symbol(order_id)].charge(cost)

    def refused(self, raw: str, symbol: str | None) -> None:
        """Take the exchange's word over the model's: count the defect and fill the counter."""
        self.refusals += 1
        if raw.startswith("EOrder:Domain"):
            for counter in self._trading.values():
                counter.fill()
        elif raw.startswith("EOrder:") and symbol is not None:
            self._trading[symbol].fill()
        elif raw.startswith("EAPI:"):
            self._reads.fill()

    def headroom(self) -> Headroom:
        """Return what is left of each counter, for a metric."""
        return Headroom(
            reads=_share_left(self._reads),
            trading={symbol: _share_left(counter) for symbol, counter in self._trading.items()},
            refusals=self.refusals,
        )


def _share_left(counter: Counter) -> float:
    return max(0.0, 1.0 - counter.level / counter.maximum)
