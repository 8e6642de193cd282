"""A venue without accounts and its public record, for tests of the public side."""

from datetime import UTC, datetime
from decimal import Decimal

from models.simulation.markets.generated import GeneratedMarket
from models.simulation.markets.instruments import UNIVERSE
from models.simulation.public.market import PublicMarket
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.simulation.venue import Venue
from models.trading.orders import Side

START = datetime(2026, 1, 1, tzinfo=UTC)
WALL = datetime(2026, 9, 1, 12, tzinfo=UTC)


class OpenMarket:
    """Move a market by hand or by a source; ``change`` is what became public last."""

    def __init__(self, symbols=("BTC/USD", "ETH/USD", "DOGE/USD"), start=START):
        self.universe = UNIVERSE.only(symbols)
        self.venue = Venue(self.universe.instruments.values(), [], 7, start)
        self.public = PublicMarket(self.universe, self.venue)
        self.steps = 0

    def apply(self, step):
        self.steps += 1
        return self.public.apply(self.venue.apply_step(step, WALL))

    def generate(self, count, seed=3, bar_minutes=1):
        return list(self.stream(count, seed, bar_minutes))

    def stream(self, count, seed=3, bar_minutes=1):
        source = GeneratedMarket(self.universe, seed=seed, start=START, bar_minutes=bar_minutes)
        for _ in range(count):
            yield self.apply(source.next_step())

    def move(self, at, symbol="BTC/USD", prints=(), bids=(), asks=()):
        step = a_symbol_step(symbol, prints, bids, asks)
        return self.apply(MarketStep(self.steps + 1, at, (step,)))


def a_symbol_step(symbol="BTC/USD", prints=(), bids=(), asks=()):
    return SymbolStep(
        symbol,
        tuple(
            Print(Side(side), Decimal(price), Decimal(quantity)) for side, price, quantity in prints
        ),
        levels(bids),
        levels(asks),
    )


def levels(pairs):
    return tuple(Level(Decimal(price), Decimal(quantity)) for price, quantity in pairs)
