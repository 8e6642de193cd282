"""A scripted step: others trade at a given price, and their liquidity moves to surround it."""

from decimal import Decimal

from models.simulation.errors import VenueError
from models.simulation.steps import Level, MarketStep, Print, SymbolStep
from models.simulation.venue import Venue
from models.trading.instruments import Instrument
from models.trading.orders import Side

LEVELS = 25
FIRST_LEVEL_USD = Decimal(20_000)


def price_step(venue: Venue, symbol: str, price: Decimal, number: int) -> MarketStep:
    """Return the step that prints ``symbol`` at ``price`` and puts a book around it.

    Raises:
        VenueError: unknown symbol, or a price that is not positive and on the tick.
    """
    instrument = venue.directory.instruments.get(symbol)
    if instrument is None:
        raise VenueError("EQuery:Unknown asset pair")
    if not price.is_finite() or price <= 0:
        raise VenueError("EOrder:Tick size check failed")
    if price % instrument.price_increment:
        if not venue.is_altered(symbol):
            raise VenueError("EOrder:Tick size check failed")
        # Whoever prints at a price of the tick that was need not know the one that is.
        price = max(instrument.floor_price(price), instrument.price_increment)
    last = venue.last_trade(symbol)
    side = Side.SELL if last is not None and price < last else Side.BUY
    lot = _lot(instrument, price)
    step = SymbolStep(
        symbol=symbol,
        prints=(Print(side, price, lot),),
        bids=_ladder(instrument, price, lot, -1, 0 if side is Side.SELL else 1),
        asks=_ladder(instrument, price, lot, 1, 0 if side is Side.BUY else 1),
    )
    return MarketStep(number, venue.market_time, (step,))


def _lot(instrument: Instrument, price: Decimal) -> Decimal:
    return max(instrument.quantity_minimum, instrument.floor_quantity(FIRST_LEVEL_USD / price))


def _ladder(
    instrument: Instrument, price: Decimal, lot: Decimal, direction: int, nearest: int
) -> tuple[Level, ...]:
    gap = max(instrument.price_increment, instrument.floor_price(price / 10_000))
    prices = (price + direction * gap * distance for distance in range(nearest, nearest + LEVELS))
    return tuple(
        Level(level, instrument.floor_quantity(lot * (1 + index)))
        for index, level in enumerate(prices)
        if level > 0
    )
