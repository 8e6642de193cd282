"""How much room Kraken's limits leave each account, and whether it is told anything, as metrics."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from activities.metrics import COOL_DOWN, RATE_REFUSALS, READ_HEADROOM, STREAM_UP, TRADING_HEADROOM
from activities.ports.exchange_errors import CoolingDown

PUBLISH_SECONDS = 1.0


class Headroom(Protocol):
    """What is left, as shares from 0 to 1; ``refusals`` counts what the exchange refused."""

    @property
    def reads(self) -> float:
        """Return the share of reads."""
        ...

    @property
    def trading(self) -> Mapping[str, float]:
        """Return the share of trading by pair."""
        ...

    @property
    def refusals(self) -> int:
        """Return how often the exchange has refused for rate."""
        ...


class Budget(Protocol):
    """Knows the limits of one account."""

    def headroom(self) -> Headroom:
        """Return what is left now."""
        ...


class OpenedExchange(Protocol):
    """One account's connection to the exchange."""

    @property
    def budget(self) -> Budget:
        """Return what counts its requests."""
        ...

    def stream_epoch(self) -> object | None:
        """Return since when its private stream is whole, None while it is not."""
        ...

    def cooling_down(self) -> CoolingDown | None:
        """Return for how long the exchange is not asked, None when it is."""
        ...


class Exchanges(Protocol):
    """The connections of all accounts."""

    def opened(self) -> Mapping[str, OpenedExchange]:
        """Return those that were opened, by account."""
        ...


class HeadroomGauges:
    """Publishes what the budgets say; refusals are counted as they grow."""

    def __init__(self) -> None:
        self._refusals: defaultdict[str, int] = defaultdict(int)

    def publish(self, accounts: Mapping[str, Headroom]) -> None:
        """Bring the figures of each account up to date."""
        for account, headroom in accounts.items():
            READ_HEADROOM.labels(account).set(headroom.reads)
            TRADING_HEADROOM.labels(account).set(min(headroom.trading.values(), default=1.0))
            # Asked for with zero too: a refusal that never happened is a figure as well.
            new = headroom.refusals - self._refusals[account]
            RATE_REFUSALS.labels(account).inc(max(0, new))
            self._refusals[account] = headroom.refusals


class CoolDownGauge:
    """Publishes when the exchange is asked again; one that has ended shows zero."""

    def __init__(self) -> None:
        self._shown: dict[str, str] = {}

    def publish(self, account: str, cooling: CoolingDown | None) -> None:
        """Bring the figure of an account up to date."""
        shown = self._shown.get(account)
        if shown is not None and (cooling is None or cooling.kind != shown):
            COOL_DOWN.labels(account, shown).set(0.0)
            del self._shown[account]
        if cooling is not None:
            left = (cooling.until - datetime.now(UTC)).total_seconds()
            COOL_DOWN.labels(account, cooling.kind).set(max(0.0, left))
            self._shown[account] = cooling.kind


async def keep_headroom_published(exchanges: Exchanges) -> None:
    """Publish every account's headroom and whether its private stream is whole, for ever.

    In the loop that charges the counters: reading one decays it, which no other thread may do.
    """
    gauges, cool_downs = HeadroomGauges(), CoolDownGauge()
    while True:
        opened = exchanges.opened()
        gauges.publish({name: one.budget.headroom() for name, one in opened.items()})
        for name, one in opened.items():
            STREAM_UP.labels(name).set(one.stream_epoch() is not None)
            cool_downs.publish(name, one.cooling_down())
        await asyncio.sleep(PUBLISH_SECONDS)
