"""Data from outside without an outside: sources that a test says, and a record in memory."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.history.market_data import MarketDataActivities
from activities.ports.market_data import ReadSanctions, SentimentValue
from models.contracts.market.data import (
    MARKET_DATA_QUEUE,
    MARKET_DATA_WORKFLOW,
    DataWork,
    MarketDataDone,
    MarketDataRun,
    market_data_id,
)
from models.contracts.market_rules import MarketRulesRun, UniverseReviewed
from models.contracts.names import MARKET_QUEUE
from workers.research.assembly import market_data_worker

START = datetime(2026, 1, 1, tzinfo=UTC)
# Stands in the place of the command: ETH's sources fail, of LINK one does not know the coin, all
# others tell three new rows.
PROGRAM = """import sys
if "LINK/USD" in sys.argv and "coingecko" in sys.argv:
    print('{"new_rows": 0, "quarantined_batches": 0, "skipped": "LINK/USD: two coins"}')
    sys.exit(1)
if "ETH/USD" in sys.argv: sys.exit("error: the source does not answer")
print('{"new_rows": 3, "quarantined_batches": 0}')
"""


class DataRecord:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.done: list[MarketDataDone] = []

    async def allowed_pairs(self) -> list[str]:
        return ["BTC/USD", "ETH/USD", "LINK/USD"]

    async def listed_assets(self) -> list[str]:
        return ["BTC", "ETH", "LINK"]

    async def named_assets(self) -> frozenset[str]:
        return frozenset()

    async def save_sanctions(self, read: ReadSanctions, at: datetime) -> None:
        pass

    async def save_sentiment(self, values: Any, at: datetime) -> int:
        return len(values)

    async def note_done(self, done: MarketDataDone, at: datetime) -> None:
        self.done.append(done)


class Mood:
    """A source of sentiment that always says the same."""

    async def values(self) -> list[SentimentValue]:
        return [SentimentValue("fear_and_greed", START, Decimal(40), "Fear")]


@activity.defn(name="review_universe")
async def proposes(_request: MarketRulesRun) -> UniverseReviewed:
    return UniverseReviewed(1, installed=False, proposal=7, leaves=("LINK/USD",))


def names_link(_assets: Any) -> ReadSanctions:
    return ReadSanctions("0" * 64, "a list", "", 152, {"LINK": "152 CHAIN-LINK"})


@asynccontextmanager
async def recorded_data_work(
    client: Client,
) -> AsyncIterator[Callable[[DataWork], Awaitable[MarketDataDone]]]:
    """Give what runs one work under its own id, on the queues of the platform."""
    steps = MarketDataActivities(
        DataRecord(),
        (sys.executable, "-c", PROGRAM),
        lambda: START,
        names_link,
        Mood(),
    )
    market = Worker(client, task_queue=MARKET_QUEUE, activities=[proposes], build_id="test")
    async with market_data_worker(client, steps), market:

        async def run(work: DataWork) -> MarketDataDone:
            done: MarketDataDone = await client.execute_workflow(
                MARKET_DATA_WORKFLOW,
                MarketDataRun(work.value),
                id=market_data_id(work),
                task_queue=MARKET_DATA_QUEUE,
                result_type=MarketDataDone,
            )
            return done

        yield run
