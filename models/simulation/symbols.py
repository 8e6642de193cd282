"""Names of pairs and assets: REST ids, alternative names, and WebSocket v2 names (§6)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from models.simulation.errors import VenueError
from models.trading.instruments import Instrument

# v2 name -> (REST id, altname) where they differ from the v2 name (kraken-protocol §6).
_LEGACY = {
    "BTC": ("XXBT", "XBT"),
    "DOGE": ("XXDG", "XDG"),
    "ETH": ("XETH", "ETH"),
    "ETC": ("XETC", "ETC"),
    "LTC": ("XLTC", "LTC"),
    "MLN": ("XMLN", "MLN"),
    "REP": ("XREP", "REP"),
    "XLM": ("XXLM", "XLM"),
    "XMR": ("XXMR", "XMR"),
    "XRP": ("XXRP", "XRP"),
    "ZEC": ("XZEC", "ZEC"),
    "USD": ("ZUSD", "USD"),
    "EUR": ("ZEUR", "EUR"),
    "GBP": ("ZGBP", "GBP"),
    "CAD": ("ZCAD", "CAD"),
    "JPY": ("ZJPY", "JPY"),
    "AUD": ("ZAUD", "AUD"),
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset: ``name`` is the v2 name, ``rest_id`` the key in REST maps."""

    name: str
    rest_id: str
    altname: str


@dataclass(frozen=True, slots=True)
class PairNames:
    """The spellings of a pair: ``XXBTZUSD``, ``XBTUSD``, ``XBT/USD``, and v2 ``BTC/USD``."""

    rest_id: str
    altname: str
    wsname: str
    symbol: str


class Directory:
    """Resolve every spelling of the listed pairs and assets."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.instruments = {instrument.symbol: instrument for instrument in instruments}
        self.assets: dict[str, Asset] = {}
        self._pair_names: dict[str, PairNames] = {}
        self._by_spelling: dict[str, Instrument] = {}
        self._asset_by_spelling: dict[str, Asset] = {}
        for instrument in self.instruments.values():
            self._add_pair(instrument)
        # Fee credits: owned, traded against nothing.
        self.add_asset("KFEE")

    def pair(self, spelling: str) -> Instrument:
        """Return the pair that REST knows under this spelling (§5, §6).

        Raises:
            VenueError: ``EQuery:Unknown asset pair``.
        """
        instrument = self._by_spelling.get(spelling)
        if instrument is None:
            raise VenueError("EQuery:Unknown asset pair")
        return instrument

    def result_key(self, spelling: str) -> str:
        """Return the key under which REST answers: the id, unless the v2 form was sent (§5)."""
        instrument = self.pair(spelling)
        return spelling if spelling == instrument.symbol else instrument.rest_id

    def names(self, symbol: str) -> PairNames:
        """Return all spellings of a listed v2 symbol."""
        return self._pair_names[symbol]

    def owner_of(self, spelling: str) -> str | None:
        """Return the v2 symbol of the pair that bears this name, None when none does."""
        instrument = self._by_spelling.get(spelling)
        return None if instrument is None else instrument.symbol

    def alter(self, instrument: Instrument, altname: str) -> None:
        """Take a listed pair as it is now, under new REST names; the old ones are unknown then."""
        symbol = instrument.symbol
        self.instruments[symbol] = instrument
        old = self._pair_names[symbol]
        self._pair_names[symbol] = replace(old, rest_id=instrument.rest_id, altname=altname)
        for spelling in [name for name, one in self._by_spelling.items() if one.symbol == symbol]:
            del self._by_spelling[spelling]
        self._spell(instrument)

    def asset(self, spelling: str) -> Asset:
        """Return an asset, or a wallet of it (``XBT.F``), by REST id, altname or v2 name.

        Raises:
            VenueError: ``EQuery:Unknown asset``.
        """
        asset = self._asset_by_spelling.get(spelling)
        if asset is None:
            stem, _, suffix = spelling.partition(".")
            base = self._asset_by_spelling.get(stem)
            if base is None or not suffix.isalnum():
                raise VenueError("EQuery:Unknown asset")
            # Wallets are spelled with the altname's stem: XBT.F (§6).
            name = f"{base.altname}.{suffix}"
            return Asset(f"{base.name}.{suffix}", name, name)
        return asset

    def add_asset(self, name: str) -> Asset:
        """List an asset that no pair mentions (a balance of an account)."""
        if name in self.assets:
            return self.assets[name]
        rest_id, altname = _LEGACY.get(name, (name, name))
        asset = Asset(name, rest_id, altname)
        self.assets[name] = asset
        for spelling in (rest_id, altname, name):
            self._asset_by_spelling[spelling] = asset
        return asset

    def _add_pair(self, instrument: Instrument) -> None:
        base = self.add_asset(instrument.base)
        quote = self.add_asset(instrument.quote)
        names = PairNames(
            rest_id=instrument.rest_id,
            altname=base.altname + quote.altname,
            wsname=f"{base.altname}/{quote.altname}",
            symbol=instrument.symbol,
        )
        self._pair_names[instrument.symbol] = names
        self._spell(instrument)

    def _spell(self, instrument: Instrument) -> None:
        names = self._pair_names[instrument.symbol]
        spellings = {names.rest_id, names.altname, names.wsname, names.symbol}
        # BTCUSD is another spelling of XBTUSD for as long as the pair is called so.
        if names.altname == self._first_altname(instrument):
            spellings.add(instrument.base + instrument.quote)
        for spelling in spellings:
            self._by_spelling[spelling] = instrument

    def _first_altname(self, instrument: Instrument) -> str:
        base, quote = self.assets[instrument.base], self.assets[instrument.quote]
        return base.altname + quote.altname
