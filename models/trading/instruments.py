"""What can be traded: one spot pair with its precision, minimums and status."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from enum import StrEnum


class InstrumentStatus(StrEnum):
    """Trading status of a pair as Kraken publishes it (AssetPairs, channel ``instrument``)."""

    ONLINE = "online"
    CANCEL_ONLY = "cancel_only"
    POST_ONLY = "post_only"
    LIMIT_ONLY = "limit_only"
    REDUCE_ONLY = "reduce_only"
    MAINTENANCE = "maintenance"
    DELISTED = "delisted"
    WORK_IN_PROGRESS = "work_in_progress"
    UNKNOWN = "unknown"


_NO_MARKET_ORDERS = (
    InstrumentStatus.CANCEL_ONLY,
    InstrumentStatus.POST_ONLY,
    InstrumentStatus.LIMIT_ONLY,
    InstrumentStatus.MAINTENANCE,
    InstrumentStatus.WORK_IN_PROGRESS,
)


@dataclass(frozen=True, slots=True)
class Instrument:
    """Describe one USD spot pair in WebSocket v2 names (``BTC/USD``, never ``XBT/USD``).

    Prices are in quote units per base unit, quantities in base units, costs in quote units.
    """

    symbol: str
    base: str
    quote: str
    rest_id: str
    price_precision: int
    price_increment: Decimal
    quantity_precision: int
    quantity_minimum: Decimal
    cost_precision: int
    cost_minimum: Decimal
    status: InstrumentStatus = InstrumentStatus.ONLINE

    @property
    def takes_market_orders(self) -> bool:
        """Tell whether the pair is not known to refuse orders at market.

        Of a delisted pair and of an unknown status the exchange itself has to say so.
        """
        return self.status not in _NO_MARKET_ORDERS

    @property
    def is_spot_usd(self) -> bool:
        """Tell whether the pair is quoted in USD (rule T-2)."""
        return self.quote == "USD" and self.symbol.endswith("/USD")

    def meets_minimum(self, quantity: Decimal, price: Decimal) -> bool:
        """Tell whether an order of this quantity at this price reaches the pair's minimums."""
        return quantity >= self.quantity_minimum and quantity * price >= self.cost_minimum

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """Round a quantity down to the pair's lot step: never more than was asked for."""
        return quantity.quantize(Decimal(1).scaleb(-self.quantity_precision), rounding=ROUND_DOWN)

    def floor_price(self, price: Decimal) -> Decimal:
        """Round a price down to the tick."""
        return self._tick(price, ROUND_FLOOR)

    def ceil_price(self, price: Decimal) -> Decimal:
        """Round a price up to the tick."""
        return self._tick(price, ROUND_CEILING)

    def nearest_price(self, price: Decimal) -> Decimal:
        """Round a price to the nearest tick."""
        return self._tick(price, ROUND_HALF_EVEN)

    def _tick(self, price: Decimal, rounding: str) -> Decimal:
        steps = (price / self.price_increment).to_integral_value(rounding=rounding)
        return (steps * self.price_increment).quantize(Decimal(1).scaleb(-self.price_precision))
