"""The watch over two sources, with CoinGecko's endpoints on a real server and a real record."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from activities.adapters.coingecko.prices import CoinGeckoPrices
from activities.adapters.postgres.market.quality_record import PostgresQuality
from activities.market.second_feed import FINDINGS, SecondFeedWatch
from tests.support.public_market import OpenMarket
from tests.support.public_server import a_public_server


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
        # A process that starts anew ends what an earlier one began.
        own["BTC/USD"] = right
        watch = SecondFeedWatch(feed, lambda: own, record, lambda: clock[0])
        await look()
        assert await record.standing() == []
        await look()
    # The server is gone: silence is a finding as well.
    await look(8)
    assert await record.standing() == [("BTC/USD", "second_stale")]
    await feed.close()
