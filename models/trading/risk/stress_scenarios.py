"""What markets have done before, as shocks to put a portfolio through; figures with their source.

A move is a share of the price (-0.41 is a fall of 41 percent), from the close of the day before to
the lowest price of the day where candles are the source. Assets not named take ``others``, which is
set near the worst that was named. Stablecoins that are not named do not move.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Shock:
    """One sudden move of the market. ``moves`` are by asset (v2 name), as shares of the price."""

    name: str
    title: str
    source: str
    moves: Mapping[str, Decimal]
    others: Decimal

    def move(self, asset: str, *, is_stablecoin: bool) -> Decimal:
        """Return the move of an asset; nothing falls by more than everything."""
        default = Decimal(0) if is_stablecoin else self.others
        return max(Decimal(-1), self.moves.get(asset, default))


def _shock(name: str, title: str, source: str, others: str, **moves: str) -> Shock:
    return Shock(
        name, title, source, {asset: Decimal(m) for asset, m in moves.items()}, Decimal(others)
    )


HISTORICAL: tuple[Shock, ...] = (
    _shock(
        "2020-03-12",
        "Black Thursday: pandemic sell-off",
        "Kraken daily candles, 2020-03-11 close to 2020-03-12 low",
        others="-0.48",
        BTC="-0.412",
        ETH="-0.479",
        LTC="-0.409",
        XRP="-0.422",
        ADA="-0.423",
    ),
    _shock(
        "2021-05-19",
        "Mining ban and liquidation cascade",
        "Kraken daily candles, 2021-05-18 close to 2021-05-19 low",
        others="-0.55",
        BTC="-0.305",
        ETH="-0.455",
        LTC="-0.575",
        XRP="-0.339",
        ADA="-0.526",
    ),
    _shock(
        "2022-06-13",
        "Celsius halts withdrawals",
        "24-hour falls reported on 2022-06-13 by CoinDesk (BTC, ETH) and Forbes (SOL, DOGE)",
        others="-0.20",
        BTC="-0.16",
        ETH="-0.18",
        SOL="-0.189",
        DOGE="-0.183",
    ),
    _shock(
        "2022-11-09",
        "FTX: the rescue by Binance fails",
        "daily falls of 2022-11-09 reported by FX Empire on 2022-11-10",
        others="-0.30",
        BTC="-0.142",
        ETH="-0.1795",
        SOL="-0.386",
        XRP="-0.1814",
    ),
    _shock(
        "2023-03-11",
        "Stablecoins off their peg: Silicon Valley Bank",
        "lows of 2023-03-11 as reported that day (USDC 0.877 USD, DAI 0.92 USD)",
        others="0",
        USDC="-0.123",
        DAI="-0.08",
    ),
)
"""Kept in the order of their dates."""
