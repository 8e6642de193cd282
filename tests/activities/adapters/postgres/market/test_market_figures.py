"""The market worker keeps each minute's figures once, from the engine that events move."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from activities.adapters.postgres.market.figures_record import PostgresMarketFigures
from activities.market.figures import MarketFiguresKeeper
from activities.market.symbol_state import SymbolState
from models.trading.account.entries.book_costs import BookLevel, BookView
from tests.support.fakes import BITCOIN
from tests.support.market_fakes import START


class Engine:
    def __init__(self):
        self.market_time = START
        self.symbols = {"BTC/USD": SymbolState(BITCOIN, healthy=True)}


async def test_each_minute_is_kept_once_and_old_ones_go(market_database):
    engine = Engine()
    state = engine.symbols["BTC/USD"]
    one = BookLevel(Decimal(99), Decimal(1))
    state.book = lambda: BookView((one,), (BookLevel(Decimal(101), Decimal(1)),))
    state.has_book = True
    keeper = MarketFiguresKeeper(lambda: engine, PostgresMarketFigures(market_database))

    async def rows():
        return await market_database.call(
            text("SELECT at, imbalance, bought, sold FROM market_figures ORDER BY at")
        )

    await keeper.look()
    state.flow.add(Decimal(2), is_buy=True)
    engine.market_time = START + timedelta(seconds=59)
    await keeper.look()
    assert await rows() == []
    engine.market_time = START + timedelta(seconds=61)
    await keeper.look()
    await keeper.look()
    assert [tuple(row) for row in await rows()] == [(START, 0, 2, 0)]
    state.healthy = False
    engine.market_time = START + timedelta(minutes=2)
    await keeper.look()
    # A broken feed's book is not known: its figures are null, never those of before.
    assert [row.imbalance for row in await rows()] == [0, None]
    engine.market_time = START + timedelta(days=40)
    await keeper.look()
    assert [row.at for row in await rows()] == []
