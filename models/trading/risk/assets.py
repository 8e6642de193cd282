"""What an asset counts as, for every rule alike: cash, a stablecoin, other money, or a coin.

USD is cash. A stablecoin is cash as long as its price is known and on its peg, and exposure
otherwise; how much of one issuer's coins is held has a limit of its own, for the issuer may fail
while the peg still holds. Other money (EUR) moves against USD and is exposure.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ONE = Decimal(1)

FIAT = frozenset({"AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "AED", "ARS", "BRL", "MXN", "COP"})
"""Money other than USD that Kraken books balances in (WebSocket v2 names)."""

ISSUERS = {
    "DAI": "Sky",
    "EURC": "Circle",
    "PYUSD": "Paxos",
    "RLUSD": "Ripple",
    "USDC": "Circle",
    "USDG": "Paxos",
    "USDP": "Paxos",
    "USDS": "Sky",
    "USDT": "Tether",
}
"""Who owes the value of a stablecoin; one that is not named here is its own issuer."""


class AssetClass(StrEnum):
    """What kind of thing an asset is."""

    CASH = "cash"
    STABLECOIN = "stablecoin"
    FIAT = "fiat"
    COIN = "coin"


@dataclass(frozen=True, slots=True)
class AssetRules:
    """How assets are told apart.

    Attributes:
        stablecoins: assets that are meant to be worth one USD.
        off_peg: those of them that are off their peg, or of which no price is known.
    """

    stablecoins: Collection[str]
    off_peg: Collection[str] = ()

    def classify(self, asset: str) -> AssetClass:
        """Return what kind of thing an asset is."""
        if asset == "USD":
            return AssetClass.CASH
        if asset in self.stablecoins:
            return AssetClass.STABLECOIN
        return AssetClass.FIAT if asset in FIAT else AssetClass.COIN

    def is_cash(self, asset: str) -> bool:
        """Tell whether an asset counts as cash now, and not as exposure."""
        kind = self.classify(asset)
        on_peg = kind is AssetClass.STABLECOIN and asset not in self.off_peg
        return kind is AssetClass.CASH or on_peg

    def issuer(self, asset: str) -> str | None:
        """Return who owes a stablecoin's value, None for what is no stablecoin."""
        if self.classify(asset) is not AssetClass.STABLECOIN:
            return None
        return ISSUERS.get(asset, asset)


def is_off_peg(price: Decimal | None, tolerance: Decimal) -> bool:
    """Tell whether a stablecoin is off its peg at a price in USD; without one it is."""
    if price is None or not price.is_finite() or price <= 0:
        return True
    return abs(price - ONE) > tolerance
