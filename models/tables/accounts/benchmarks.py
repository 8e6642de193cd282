"""What holding is compared by: prices of bars, and what moved since; read alike by every report."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import text

BITCOIN = "BTC"
PRICES_AT = text(
    """SELECT DISTINCT ON (c.symbol) c.symbol, p.price
       FROM candles c CROSS JOIN LATERAL (VALUES
           (c.start, c.open), (c.start + make_interval(mins => c.interval_minutes), c.close)
       ) AS p (at, price)
       WHERE c.symbol = ANY(:symbols) AND c.start <= CAST(:at AS timestamptz)
         AND c.start > CAST(:at AS timestamptz) - interval '2 days'
         AND p.at <= CAST(:at AS timestamptz)
         AND p.at > CAST(:at AS timestamptz) - interval '1 day'
       ORDER BY c.symbol, p.at DESC, c.start DESC, c.interval_minutes"""
)
"""The price of each symbol at a market time: the newest open or close of a bar until then.

What a bar that was not over yet came to says nothing of it, and a price older than a day is none.
"""
MOVED_SINCE = text(
    """SELECT m.asset,
              sum(CASE WHEN m.kind IN ('bought', 'brought_in') THEN m.quantity ELSE -m.quantity END)
                  AS quantity
       FROM asset_movements m JOIN accounts a USING (account_id)
       WHERE m.mode = a.mode AND m.at > :at GROUP BY m.asset"""
)
"""By how much each asset but USD has become more since a market time, in the mode of now."""


def symbols_of(assets: Iterable[str]) -> list[str]:
    """Return the pairs that price assets, and Bitcoin, in USD."""
    return sorted(f"{asset}/USD" for asset in {*assets, BITCOIN} - {"USD"})


def prices_of(rows: Iterable[Any]) -> dict[str, Decimal]:
    """Return rows of a symbol and its price as prices by asset."""
    return {symbol.removesuffix("/USD"): price for symbol, price in rows}
