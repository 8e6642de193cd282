"""The exchange's pair list in memory, and the market worker's side of the rules of the market."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import sin

from temporalio.worker import Worker

from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.adapters.temporal.messages import TemporalMessenger
from activities.market.rules import MarketRulesActivities
from activities.ports.rules import PairQuote
from infra.runtime.temporal.workers import build_id
from models.contracts.names import MARKET_QUEUE
from models.trading.market import Candle
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.reading import platform_rules
from models.trading.settings.versions import default_version
from tests.support.fakes import BITCOIN

START = datetime(2026, 1, 1, tzinfo=UTC)


def an_instrument(base, **changed):
    return replace(BITCOIN, symbol=f"{base}/USD", base=base, rest_id=f"{base}USD", **changed)


def bars(symbol, count, minutes, swing=1.0, volume=100, period=7.0):
    """Return bars whose price swings around a level; equal swings move together."""
    found = []
    for number in range(count):
        close = Decimal(str(round(30000 * (1 + 0.01 * swing * sin(number / period)), 2)))
        start = START + timedelta(minutes=minutes * number)
        found.append(Candle(symbol, minutes, start, close, close, close, close, Decimal(volume), 5))
    return found


class Pairs:
    """What the exchange lists; tests change it."""

    def __init__(self, *bases):
        self.listed = {f"{base}/USD": an_instrument(base) for base in bases}
        self.spread = Decimal("0.0001")
        self.days = {symbol: bars(symbol, 200, 1440) for symbol in self.listed}
        self.unquoted = set()

    async def instruments(self):
        return dict(self.listed)

    async def quotes(self):
        quote = PairQuote(Decimal(9_000_000), self.spread)
        return {symbol: quote for symbol in self.listed if symbol not in self.unquoted}

    async def history(self, symbol, interval_minutes):
        return self.days.get(symbol, [])


class NobodyListens:
    """A messenger without workflows: remembers what it was given."""

    def __init__(self, missing=()):
        self.told, self.missing = [], set(missing)

    async def signal_account(self, account, facts):
        if account in self.missing:
            return False
        self.told += [(account, fact) for fact in facts]
        return True


def rules_activities(
    pairs, app_database, market_database, messenger, accounts, *, own_market=False
):
    """Return the activities over a real record."""
    stored = PostgresMarketRules(app_database)

    async def names():
        return list(accounts)

    async def rules():
        return platform_rules(default_version("platform", SettingScope.PLATFORM), frozenset())

    return MarketRulesActivities(
        pairs,
        PostgresMarketRecord(market_database),
        stored,
        stored,
        messenger,
        names,
        rules,
        lambda: datetime.now(UTC),
        1,
        own_market=own_market,
    )


@asynccontextmanager
async def rules_worker(client, activities):
    """Serve the market queue with the rules of the market only."""
    worker = Worker(
        client,
        task_queue=MARKET_QUEUE,
        activities=[
            activities.review_universe,
            activities.compute_groups,
            activities.signal_market_rules,
        ],
        build_id=build_id(),
    )
    async with worker:
        yield worker


__all__ = [
    "START",
    "NobodyListens",
    "Pairs",
    "TemporalMessenger",
    "an_instrument",
    "bars",
    "rules_activities",
    "rules_worker",
]
