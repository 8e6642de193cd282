"""What the book pays counts without a print: the message that told of one may have been lost."""

from decimal import Decimal

from models.trading.trade.facts import Direction
from tests.activities.market.test_market_engine import Market, a_tick, a_watch, prices


async def test_what_the_book_pays_is_crossed_without_a_print():
    rising = a_watch(105, trade=1)
    falling = a_watch(95, trade=2, direction=Direction.FALLS_TO)
    market = await Market(rising, falling).begin()
    await market.see(prices(99, 101, 1), a_tick(100, 2), prices(104, 106, 3))
    assert market.crossings() == []
    await market.see(prices(105, 107, 4))
    assert market.crossings() == [(1, Decimal(105))]
    await market.see(prices(93, 95, 5))
    assert market.crossings() == [(1, Decimal(105)), (2, Decimal(95))]
