"""The spellings of pairs and assets: REST ids, altnames, v1 names; ours are WebSocket v2 names."""

from collections.abc import Iterable, Mapping
from typing import Any

# The only renames between wsname and v2 symbol (§6). Everything else comes from Kraken's tables:
# stripping a leading X or Z would break XTZ, ZRX and others.
_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}


def v2_asset(altname: str) -> str:
    """Return the v2 name of an asset's altname (or of a half of a wsname)."""
    return _RENAMED.get(altname, altname)


def v2_symbol(wsname: str) -> str:
    """Return the v2 symbol of a wsname: XBT/USD is BTC/USD."""
    base, _, quote = wsname.partition("/")
    return f"{v2_asset(base)}/{v2_asset(quote)}"


def _field(row: Any, name: str) -> Any:
    return row.get(name) if isinstance(row, Mapping) else None


class SymbolTable:
    """Translate Kraken's spellings of pairs and assets, from AssetPairs and Assets."""

    def __init__(self, pairs: Mapping[str, Any], assets: Mapping[str, Any]) -> None:
        self._symbols: dict[str, str] = {}
        altnames = {name: str(_field(row, "altname") or name) for name, row in assets.items()}
        self._assets = {name: v2_asset(altname) for name, altname in altnames.items()}
        self._stems = {altname: self._assets[name] for name, altname in altnames.items()}
        for rest_id, row in pairs.items():
            wsname = _field(row, "wsname")
            if wsname:
                altname = str(_field(row, "altname") or rest_id)
                self._learn(v2_symbol(str(wsname)), (rest_id, altname, str(wsname)))

    def _learn(self, symbol: str, spellings: Iterable[str]) -> None:
        self._symbols[symbol] = symbol
        self._symbols.setdefault(symbol.replace("/", ""), symbol)
        for spelling in spellings:
            self._symbols[spelling] = symbol

    def symbol(self, spelling: str) -> str:
        """Return the v2 symbol of a pair in any spelling; an unknown one comes back as it is."""
        return self._symbols.get(spelling, spelling)

    def asset(self, spelling: str) -> str:
        """Return the v2 name of an asset; suffixed forms (ETH.S, XBT.F) keep their suffix."""
        known = self._assets.get(spelling)
        if known is not None:
            return known
        stem, dot, suffix = spelling.partition(".")
        return f"{self._stems.get(stem, v2_asset(stem))}{dot}{suffix}"

    def spendable_asset(self, spelling: str) -> str:
        """Return the asset whose orders spend a balance: auto-earn (.F) counts as its base (§6)."""
        return self.asset(spelling).removesuffix(".F")
