"""The simulated universe: pairs and assets with Kraken's metadata and each pair's spellings.

The domain's view of a pair is ``models.trading.instruments.Instrument``; what only Kraken's REST
and WebSocket answers carry stays here. The figures are those Kraken publishes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from models.trading.instruments import Instrument

DEEP_LEVERAGE: Final = (2, 3, 4, 5, 6, 7, 8, 9, 10)

BASE_IDS: Final = {"BTC": "XXBT", "ETH": "XETH", "XRP": "XXRP", "LTC": "XLTC", "DOGE": "XXDG"}
"""Bases whose REST id carries the old class prefix; every other id is the plain name."""


class UnknownPairError(Exception):
    """A pair or asset that the exchange does not list."""


@dataclass(frozen=True, slots=True)
class AssetListing:
    """One asset: ``name`` as WebSocket v2 spells it, ``rest_id`` and ``altname`` as REST does."""

    name: str
    rest_id: str
    altname: str
    decimals: int
    display_decimals: int
    collateral_value: Decimal | None = None
    margin_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One pair as the exchange publishes it.

    Attributes:
        instrument: the domain's view.
        altname: short REST name (``XBTUSD``).
        wsname: WebSocket v1 name (``XBT/USD``).
        leverage: factors published for margin trading, empty where there is none.
        long_limit: largest margin position long, in base units.
        short_limit: largest margin position short, in base units.
        reference_price: USD price around which a generated market moves.
        stable: whether the base is a USD stablecoin.
        typical_order: USD amount of a typical order in the book, for synthetic liquidity.
        spread_basis_points: typical quoted spread; never less than one tick.
    """

    instrument: Instrument
    altname: str
    wsname: str
    leverage: tuple[int, ...]
    long_limit: int
    short_limit: int
    reference_price: Decimal
    stable: bool = False
    typical_order: Decimal = Decimal(8000)
    spread_basis_points: Decimal = Decimal(1)

    @property
    def symbol(self) -> str:
        """Return the WebSocket v2 symbol."""
        return self.instrument.symbol

    @property
    def base_id(self) -> str:
        """Return the REST id of the base asset (``XXBT``)."""
        return BASE_IDS.get(self.instrument.base, self.instrument.base)

    @property
    def spellings(self) -> frozenset[str]:
        """Return every name REST accepts for the pair."""
        plain = self.symbol.replace("/", "")
        names = (self.instrument.rest_id, self.altname, self.wsname, self.symbol, plain)
        return frozenset(names)


@dataclass(frozen=True, slots=True)
class Universe:
    """The listed pairs and assets, found by any of their spellings."""

    listings: tuple[Listing, ...]
    assets: tuple[AssetListing, ...]
    _by_spelling: dict[str, Listing] = field(init=False, repr=False, compare=False)
    _asset_by_spelling: dict[str, AssetListing] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pairs = {name: listing for listing in self.listings for name in listing.spellings}
        assets = {
            name: asset
            for asset in self.assets
            for name in (asset.name, asset.rest_id, asset.altname)
        }
        object.__setattr__(self, "_by_spelling", pairs)
        object.__setattr__(self, "_asset_by_spelling", assets)

    def __iter__(self) -> Iterator[Listing]:
        return iter(self.listings)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the WebSocket v2 symbols in listing order."""
        return tuple(listing.symbol for listing in self.listings)

    @property
    def instruments(self) -> dict[str, Instrument]:
        """Return the domain's instruments by symbol."""
        return {listing.symbol: listing.instrument for listing in self.listings}

    def pair(self, name: str) -> Listing:
        """Return a pair by any spelling REST accepts; raises UnknownPairError."""
        try:
            return self._by_spelling[name]
        except KeyError:
            raise UnknownPairError(f"pair was {name!r}") from None

    def by_symbol(self, symbol: str) -> Listing:
        """Return a pair by its WebSocket v2 symbol only; raises UnknownPairError."""
        listing = self.pair(symbol)
        if listing.symbol != symbol:
            raise UnknownPairError(f"symbol was {symbol!r}")
        return listing

    def asset(self, name: str) -> AssetListing:
        """Return an asset by v2 name, REST id or altname; raises UnknownPairError."""
        try:
            return self._asset_by_spelling[name]
        except KeyError:
            raise UnknownPairError(f"asset was {name!r}") from None

    def altered(self, instrument: Instrument, altname: str) -> "Universe":
        """Return the universe with one pair as it is now, under its new REST names."""
        listings = tuple(
            replace(one, instrument=instrument, altname=altname)
            if one.symbol == instrument.symbol
            else one
            for one in self.listings
        )
        return Universe(listings, self.assets)

    def only(self, symbols: Iterable[str]) -> "Universe":
        """Return the universe reduced to these symbols and the assets they need."""
        chosen = tuple(self.by_symbol(symbol) for symbol in symbols)
        needed = {listing.instrument.base for listing in chosen} | {"USD"}
        return Universe(chosen, tuple(a for a in self.assets if a.name in needed))


def _instrument(
    base: str,
    rest_id: str,
    price_precision: int,
    quantity_minimum: str,
    cost_precision: int = 5,
) -> Instrument:
    return Instrument(
        symbol=f"{base}/USD",
        base=base,
        quote="USD",
        rest_id=rest_id,
        price_precision=price_precision,
        price_increment=Decimal(1).scaleb(-price_precision),
        quantity_precision=8,
        quantity_minimum=Decimal(quantity_minimum),
        cost_precision=cost_precision,
        cost_minimum=Decimal("0.5"),
    )


def _asset(
    name: str,
    decimals: int,
    display: int,
    rest_id: str = "",
    altname: str = "",
    collateral: str | None = None,
    margin_rate: str | None = None,
) -> AssetListing:
    return AssetListing(
        name=name,
        rest_id=rest_id or name,
        altname=altname or name,
        decimals=decimals,
        display_decimals=display,
        collateral_value=None if collateral is None else Decimal(collateral),
        margin_rate=None if margin_rate is None else Decimal(margin_rate),
    )


LISTINGS: Final[tuple[Listing, ...]] = (
    Listing(
        _instrument("BTC", "XXBTZUSD", 1, "0.00005"),
        "XBTUSD", "XBT/USD", DEEP_LEVERAGE, 350, 250,
        Decimal(65000), typical_order=Decimal(16000), spread_basis_points=Decimal("0.2"),
    ),
    Listing(
        _instrument("ETH", "XETHZUSD", 2, "0.001"),
        "ETHUSD", "ETH/USD", DEEP_LEVERAGE, 4000, 2500,
        Decimal(3200), typical_order=Decimal(12000), spread_basis_points=Decimal("0.3"),
    ),
    Listing(
        _instrument("SOL", "SOLUSD", 2, "0.06"),
        "SOLUSD", "SOL/USD", DEEP_LEVERAGE, 100000, 50000,
        Decimal(150), spread_basis_points=Decimal(1),
    ),
    Listing(
        _instrument("ADA", "ADAUSD", 6, "4.4", cost_precision=8),
        "ADAUSD", "ADA/USD", (2, 3, 4, 5), 5000000, 2000000,
        Decimal("0.45"), typical_order=Decimal(5000), spread_basis_points=Decimal(2),
    ),
    Listing(
        _instrument("XRP", "XXRPZUSD", 5, "1.65", cost_precision=8),
        "XRPUSD", "XRP/USD", DEEP_LEVERAGE, 7000000, 3000000,
        Decimal("0.6"), spread_basis_points=Decimal(1),
    ),
    Listing(
        _instrument("LTC", "XLTCZUSD", 2, "0.04"),
        "LTCUSD", "LTC/USD", (2, 3, 4, 5), 20000, 10000,
        Decimal(80), typical_order=Decimal(4000), spread_basis_points=Decimal(2),
    ),
    Listing(
        _instrument("DOGE", "XDGUSD", 7, "50", cost_precision=9),
        "XDGUSD", "XDG/USD", (2, 3, 4, 5), 20000000, 10000000,
        Decimal("0.15"), typical_order=Decimal(5000), spread_basis_points=Decimal(2),
    ),
    Listing(
        _instrument("USDT", "USDTZUSD", 5, "5"),
        "USDTUSD", "USDT/USD", (2, 3), 2000000, 1000000,
        Decimal(1), stable=True, typical_order=Decimal(50000), spread_basis_points=Decimal("0.5"),
    ),
    Listing(
        _instrument("USDC", "USDCUSD", 4, "5"),
        "USDCUSD", "USDC/USD", (2, 3), 2000000, 1000000,
        Decimal(1), stable=True, typical_order=Decimal(50000), spread_basis_points=Decimal(1),
    ),
)  # fmt: skip

ASSETS: Final[tuple[AssetListing, ...]] = (
    _asset("USD", 4, 2, "ZUSD", "USD", "1", "0.025"),
    _asset("BTC", 10, 5, "XXBT", "XBT", "1", "0.01"),
    _asset("ETH", 10, 5, "XETH", "ETH", "1", "0.02"),
    _asset("SOL", 10, 5, collateral="0.9", margin_rate="0.02"),
    _asset("ADA", 8, 6, collateral="0.9", margin_rate="0.02"),
    _asset("XRP", 8, 5, "XXRP", "XRP", "0.9", "0.02"),
    _asset("LTC", 10, 5, "XLTC", "LTC", "0.9", "0.02"),
    _asset("DOGE", 8, 2, "XXDG", "XDG", "0.9", "0.02"),
    _asset("USDT", 8, 4, collateral="0.975", margin_rate="0.02"),
    _asset("USDC", 8, 4, collateral="0.99", margin_rate="0.02"),
)

UNIVERSE: Final = Universe(LISTINGS, ASSETS)
