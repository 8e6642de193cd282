"""Prices as whole ticks and quantities as whole lots: exact and fast inside a market source."""

from decimal import ROUND_HALF_EVEN, Decimal

from models.trading.instruments import Instrument


class Scale:
    """Convert between one pair's decimals and integers (ticks for prices, lots for quantities)."""

    __slots__ = ("_increment", "_price_exponent", "_quantity_exponent", "_units")

    def __init__(self, instrument: Instrument) -> None:
        self._increment = instrument.price_increment
        self._price_exponent = -instrument.price_precision
        self._quantity_exponent = -instrument.quantity_precision
        self._units = int(instrument.price_increment.scaleb(instrument.price_precision))

    def price(self, ticks: int) -> Decimal:
        """Return the price of a number of ticks, with the pair's precision."""
        return Decimal(ticks * self._units).scaleb(self._price_exponent)

    def ticks(self, price: Decimal) -> int:
        """Return the nearest number of ticks; halves go to the even one."""
        return int((price / self._increment).to_integral_value(rounding=ROUND_HALF_EVEN))

    def quantity(self, lots: int) -> Decimal:
        """Return the quantity of a number of lots, with the pair's precision."""
        return Decimal(lots).scaleb(self._quantity_exponent)

    def lots(self, quantity: Decimal) -> int:
        """Return the nearest number of lots."""
        return int(quantity.scaleb(-self._quantity_exponent).to_integral_value(ROUND_HALF_EVEN))
