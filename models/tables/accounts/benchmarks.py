"""What holding is compared by: closes of bars, and what moved since; read alike by every report."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import text

BITCOIN = "BTC"
CLOSES_AT = text(
    """SELECT DISTINCT ON (symbol) symbol, close FROM candles
       WHERE symbol = ANY(:symbols) AND start <= CAST(:at AS timestamptz)
         AND start > CAST(:at AS timestamptz) - interval '2 days'
         AND start + make_interval(mins => interval_minutes) <= CAST(:at AS timestamptz)
         AND start + make_interval(mins => interval_minutes)
             > CAST(:at AS timestamptz) - interval '1 day'
       ORDER BY symbol, start + make_interval(mins => interval_minutes) DESC, interval_minutes"""
)
"""The newest close of each symbol at a market time; one that is older than a day is none."""
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
