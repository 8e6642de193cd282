"""Days that end while nothing runs: closed once in the real record, with the figures of each end.

Clocks change on the second of three days. Each account buys on the first; on the second its stop is
executed at the exchange with nobody there to hear of it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from activities.accounts.day_clock import DayClock
from activities.adapters.postgres.installation import create_account, installation_id
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.market.market_record import PostgresMarketRecord
from infra.runtime.database.connections import Database, Role
from models.contracts.days import DaysClosed, DayToClose
from models.contracts.names import daily_reset_workflow_id
from models.trading.account.capital.facts import PricesMarked
from models.trading.account.state import AccountState
from models.trading.market import Candle, MarketSnapshot
from models.trading.orders import OrderStatus, OrderType
from models.trading.trading_day import DayRule
from tests.support.books import a_book
from tests.support.fakes import BITCOIN, wall_clock
from tests.support.postgres import PostgresServer
from tests.support.stories import LIMITS, Story, at_rest
from tests.support.temporal import World, eventually

BOLD = replace(LIMITS, risk_share=Decimal("0.5"))
CHANGES = [
    ("America/New_York", "2026-03-08", 23),
    ("America/New_York", "2026-11-01", 25),
    ("Europe/Zurich", "2026-03-29", 23),
    ("Europe/Zurich", "2026-10-25", 25),
]
CLOSES = ("49000", "46000", "45000")
"""What bitcoin is worth at the ends of the three days; it was bought at 50,000."""


class RecordedStory(Story):
    """A story whose record is PostgreSQL, in the market time of a test."""

    async def knows_exchange(self) -> bool:
        return "USD" in (await self.snapshot()).balances

    async def snapshot(self) -> AccountState:
        state: AccountState = await self.handle.query("snapshot", result_type=AccountState)
        return state

    async def mark(self, price: str, at: datetime) -> None:
        marked = PricesMarked({BITCOIN.symbol: Decimal(price)}, at, wall_clock())
        await self.handle.signal("prices_marked", marked)
        await at_rest(self.handle)

    async def buy(self, at: datetime) -> None:
        price = self.exchange.price
        book = a_book(price, price * Decimal("1.0001"))
        figures = {"measured_at": at, "book": book, "book_at": at}
        market = MarketSnapshot(
            BITCOIN.symbol, price, price, price, at, Decimal(50), Decimal("0.001"), **figures
        )
        wish = {"quantity": Decimal("0.4"), "stop_price": Decimal(47500), "market": market}
        assert (await self.open(**wish, take_profit_price=None)).accepted

        def rests() -> bool:
            stops = (o for o in self.exchange.orders.values() if o.status is OrderStatus.OPEN)
            return any(o.order_type is OrderType.STOP_LOSS for o in stops)

        await eventually(rests, "the stop rests")
        await at_rest(self.handle)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(postgres: PostgresServer, database_name: str) -> AsyncIterator[Database]:
    database = Database(postgres.url(Role.APP, database_name))
    yield database
    await database.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def market(postgres: PostgresServer, database_name: str) -> AsyncIterator[Database]:
    market = Database(postgres.url(Role.MARKET, database_name))
    yield market
    await market.close()


@pytest.mark.parametrize(("zone", "changes", "hours"), CHANGES)
async def test_days_that_ended_while_nothing_ran_are_closed_once_with_their_figures(
    client: Client, database: Database, market: Database, zone: str, changes: str, hours: int
) -> None:
    world = World(client, journal=PostgresJournal(database))
    story = RecordedStory(world, world.add_account())
    rule = DayRule(zone)
    begun = AccountState(story.account, await installation_id(database))
    await create_account(database, begun, "director", datetime.now(UTC))
    midnight = datetime.combine(datetime.fromisoformat(changes), time(0), ZoneInfo(zone))
    ends = [(midnight + timedelta(days=n)).astimezone(UTC) for n in range(3)]
    assert ends[1] - ends[0] == timedelta(hours=hours)
    morning = ends[0] - timedelta(hours=12)

    async with world.running():
        await story.begin(day=rule, limits=BOLD)
        await story.mark("50000", morning)
        story.exchange.clock = lambda: morning + timedelta(hours=1)
        await story.buy(morning + timedelta(hours=1))
        await story.mark("50000", morning + timedelta(hours=2))

    # Nothing runs. The exchange goes on, and afterwards tells what bars there were.
    story.exchange.clock = lambda: ends[0] + timedelta(hours=15)
    story.exchange.set_price(Decimal(47000))
    bars = [a_bar(end, close) for end, close in zip(ends, CLOSES, strict=True)]
    await PostgresMarketRecord(market).save_candles(bars)

    async with world.running():
        later = ends[2] + timedelta(hours=1)
        await close_days(story, later)
        await asyncio.gather(close_days(story, later), close_days(story, later))
        rows = await days(database, story.account)
        assert [row.closed_at for row in rows] == ends
        assert rows[1].closed_at - rows[1].opened_at == timedelta(hours=hours)
        figures = [(r.opening_equity, r.closing_equity, r.profit, r.fees) for r in rows]
        # 0.4 for 20,000 and 80 of fees; sold on the second day for 18,800 less 75.20.
        assert figures == [
            (100_000, 99_520, -480, 80),
            (99_520, Decimal("98644.8"), Decimal("-875.2"), Decimal("75.2")),
            (Decimal("98644.8"), Decimal("98644.8"), 0, 0),
        ]
        assert [(row.realised, row.unrealised) for row in rows] == [
            (0, -480),
            (Decimal("-1355.2"), 480),
            (0, 0),
        ]
        # The record is complete before the trade has settled and told its account so.
        state = await eventually(lambda: without_trades(story), "the trade is settled")
        assert state.drawdown is not None
        assert state.drawdown.opened_at == ends[2]
        assert state.balances["USD"] == Decimal("98644.8") == story.exchange.totals["USD"]
        await story.end()


async def without_trades(story: Story) -> AccountState | None:
    state = await story.snapshot()
    return None if state.trades else state


def a_bar(end: datetime, close: str) -> Candle:
    price = Decimal(close)
    begin = end - timedelta(minutes=15)
    return Candle(BITCOIN.symbol, 15, begin, price, price, price, price, Decimal(1), 1)


async def close_days(story: Story, market_time: datetime) -> None:
    """Let the market's clock come to a time, as after a start: it closes what has ended."""

    async def close(account: str, at: datetime) -> None:
        await story.world.client.execute_workflow(
            "DailyResetWorkflow",
            DayToClose(account, at),
            id=daily_reset_workflow_id(account),
            task_queue=story.world.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            result_type=DaysClosed,
        )

    class OfThisAccount:
        """The boundaries of one account: the database of this module holds those of others."""

        async def next_boundaries(self) -> dict[str, datetime]:
            ends: dict[str, datetime] = await story.journal.next_boundaries()
            return {story.account: ends[story.account]}

    await DayClock(OfThisAccount(), close).tick(market_time)


async def days(database: Database, account: str) -> list[Any]:
    query = text("SELECT * FROM trading_days ORDER BY closed_at")
    async with database.account_scope(account) as session:
        return list((await session.sql(query)).all())
