"""The watch over two sources, with CoinGecko's endpoints on a real server and a real record."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from activities.adapters.coingecko.prices import CoinGeckoPrices
from activities.adapters.postgres.market.quality_record import PostgresQuality
from activities.market.second_feed import FINDINGS, SecondFeedWatch
from tests.support.public_market import OpenMarket
from tests.support.public_server import a_public_server
from tests.support.waiting.patience import eventually


async def test_what_a_second_source_finds_is_kept_from_beginning_to_end(market_database):
    market, record = OpenMarket(symbols=("BTC/USD",)), PostgresQuality(market_database)
    market.generate(50)
    clock = [datetime(2026, 5, 4, tzinfo=UTC)]
    async with a_public_server(market) as server:
        feed = CoinGeckoPrices(f"http://127.0.0.1:{server.port}/coingecko/api/v3/")
        right = (await feed.prices(["BTC/USD"]))["BTC/USD"]
        own = {"BTC/USD": right}
        told = {}
        watch = SecondFeedWatch(feed, lambda: own, record, lambda: clock[0], tell=told.__setitem__)

        async def look(times=1):
            for _ in range(times):
                await watch.look()
                clock[0] += timedelta(minutes=1)

        await look(2)
        assert await record.standing() == []
        assert told == {"BTC/USD": None}, "two looks tell nothing yet"
        own["BTC/USD"] = right * Decimal("1.03")
        await look(3)
        assert await record.standing() == [("BTC/USD", "diverged")]
        assert round(told["BTC/USD"], 3) == Decimal("0.030")
        assert FINDINGS.labels("BTC/USD", "diverged")._value.get() == 1
        # A process that starts anew goes on with the doubt, in silence too.
        watch = SecondFeedWatch(feed, lambda: {"BTC/USD": None}, record, lambda: clock[0])
        await look()
        watch = SecondFeedWatch(feed, lambda: own, record, lambda: clock[0], tell=told.__setitem__)
        await look()
        assert ("BTC/USD", "diverged") in await record.standing()
        assert told["BTC/USD"] > Decimal("0.02")
        # And ends it where both agree.
        own["BTC/USD"] = right
        await look()
        assert await record.standing() == []
        await look()
    # The server is gone: silence is a finding as well.
    await look(8)
    assert await record.standing() == [("BTC/USD", "second_stale")]
    await feed.close()


class OddFeed:
    """A second source that answers once as nobody expects."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def prices(self, symbols):
        answer = self.answers.pop(0) if self.answers else Decimal(100)
        return dict.fromkeys(symbols, answer)


class QuietRecord:
    """A record that fails at first in a way that is none of its own."""

    failing = True

    async def standing(self):
        if self.failing:
            self.failing = False
            raise ValueError("not what a record says")
        return []

    async def begin(self, *_):
        pass

    async def end(self, *_):
        pass


async def test_no_answer_ends_the_watch_and_who_begins_anew_is_told():
    odd = [Decimal(0), Decimal("NaN"), Decimal("-Infinity")]
    feed, told = OddFeed(*odd, *[Decimal(80)] * 3), []
    watch = SecondFeedWatch(
        feed,
        lambda: {"BTC/USD": Decimal(100)},
        QuietRecord(),
        lambda: datetime.now(UTC),
        tell=lambda _symbol, share: told.append(share),
    )
    running = asyncio.create_task(watch.run(seconds=0.01))
    await eventually(lambda: told and told[-1] == Decimal("0.25"), "the watch still compares")
    running.cancel()
    told.clear()
    watch.tell_again()
    assert len(told) == 1
    assert told[0] is not None
