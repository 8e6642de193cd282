"""Kraken's public feed, limited to the pairs that the platform is set up for."""

from collections.abc import Collection

from activities.adapters.kraken.addresses import AllowedHosts
from activities.adapters.kraken.feed.public_feed import KrakenMarketFeed
from models.trading.instruments import Instrument


class LimitedMarketFeed(KrakenMarketFeed):
    """Follow some pairs only: the exchange itself lists hundreds, the simulator a few of them."""

    def __init__(
        self, rest: str, public_ws: str, allowed: AllowedHosts, symbols: Collection[str]
    ) -> None:
        super().__init__(rest, public_ws, allowed)
        self._symbols = frozenset(symbols)

    async def instruments(self) -> dict[str, Instrument]:
        """Return those of the pairs that the exchange lists, by symbol."""
        listed = await super().instruments()
        return {name: found for name, found in listed.items() if name in self._symbols}
