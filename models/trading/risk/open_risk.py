"""What an account loses when every stop is hit at its price: its total open risk (R-2).

Counted are its trades. What people brought in has no stop and is bounded by the limits on exposure.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from models.trading.risk.loss_limits import Levels
from models.trading.trade.state import TradeSummary
from models.trading.verdicts import Check

ZERO = Decimal(0)


def open_risk(trades: Iterable[TradeSummary], prices: Mapping[str, Decimal]) -> Decimal | None:
    """Return USD between the prices now and the stops, over all that is held or promised.

    A promise is taken at all the cash that is reserved for it, margin and fee inside, so that it is
    never more at risk than counted. None while the price of a pair is not known.
    """
    total = ZERO
    for trade in trades:
        held = max(ZERO, trade.bought - trade.sold)
        if held == ZERO and trade.reserved_cash <= ZERO:
            continue
        price = prices.get(trade.symbol)
        if price is None or not price.is_finite() or price <= ZERO:
            return None
        distance = max(ZERO, price - trade.stop_price)
        total += held * distance + trade.reserved_cash * distance / price
    return total


def check_open_risk(
    known: Decimal | None, added: Decimal, equity: Decimal, levels: Levels
) -> Check:
    """Bound the open risk with one more entry; ``added`` is what that entry loses at its stop.

    All in USD. A risk that is not known allows no entry.
    """
    limit = max(ZERO, equity) * levels.hard
    if known is None:
        reason = "the open risk is not known: a pair held has no price"
        return Check("R-2", "open-risk", passed=False, reason=reason, limit=limit)
    figure = known + added
    reason = f"{figure:.2f} USD at risk down to the stops against {limit:.2f} USD allowed"
    return Check("R-2", "open-risk", figure <= limit, reason, figure, limit)


def open_risk_share(known: Decimal, equity: Decimal) -> Decimal:
    """Return the open risk as a share of equity; without any equity it is the whole."""
    if known <= ZERO:
        return ZERO
    return known / equity if equity > ZERO else Decimal(1)
