"""Whether a stop that is sent twice could sell coins that are not its trade's.

A stop that fired has sold its trade's coins; a second one of the same size needs as many again. The
exchange refuses it for want of funds where the account holds nothing else of the asset.
"""

from decimal import Decimal

from activities.ports.exchange import Exchange
from activities.ports.exchange_errors import ExchangeUnavailableError, RateLimitedError
from activities.ports.journal import Journal
from models.trading.orders import OrderSpec


async def holds_alone(exchange: Exchange, journal: Journal, stop: OrderSpec) -> bool:
    """Tell whether all that the account holds of a stop's asset is what its trade bought.

    The record says that no other trade holds or may buy any, and the exchange's balance is exactly
    what the trade holds, which the stop covers: base units without a trade would be more, and less
    may be what a stop that fired has left.
    """
    held = await journal.holdings_of_trades(stop.account, stop.symbol)
    if set(held) != {stop.trade}:
        return False
    try:
        balances = await exchange.protecting().balances()
    except (RateLimitedError, ExchangeUnavailableError):
        return False
    balance = balances.get(stop.symbol.partition("/")[0])
    total = balance.total if balance is not None else Decimal(0)
    return total == held[stop.trade]
