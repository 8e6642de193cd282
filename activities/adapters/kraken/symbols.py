"""The one place that turns Kraken's names of assets and pairs into ours: WebSocket v2 names.

An asset is spelled as a REST id (``XXBT``), an altname (``XBT``) or a v2 name (``BTC``); a balance
and a ledger row may name a *wallet* of it by a suffix (``XBT.F``, ``DOT28.S``). ``WALLETS`` states
what each suffix means; docs/kraken-adapter.md says the same in words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# The only renames between wsname and v2 symbol (§6). Everything else comes from Kraken's tables:
# stripping a leading X or Z would break XTZ, ZRX and others.
_RENAMED = {"XBT": "BTC", "XDG": "DOGE"}
# Bonded staking names the days of its bond between the asset and the suffix: DOT28.S, SOL03.S.
_BONDED = re.compile(r"(?P<stem>.+?)(?P<days>\d{2})")


@dataclass(frozen=True, slots=True)
class WalletKind:
    """What a suffix means; ``spendable`` says that orders in the base asset spend the wallet.

    Only what is spendable counts as the base asset. The rest is owned and not at hand: it is listed
    apart under its own name, and no pair trades it.
    """

    meaning: str
    spendable: bool


WALLETS: Mapping[str, WalletKind] = {
    "": WalletKind("spot", spendable=True),
    "F": WalletKind("Kraken Rewards, earning by itself", spendable=True),
    "S": WalletKind("staked", spendable=False),
    "M": WalletKind("opt-in rewards", spendable=False),
    "B": WalletKind("yield-bearing product", spendable=False),
    "P": WalletKind("locked for a parachain", spendable=False),
    "T": WalletKind("tokenised, another asset", spendable=False),
    "HOLD": WalletKind("deposit on hold", spendable=False),
}
_UNKNOWN = WalletKind("unknown suffix", spendable=False)


@dataclass(frozen=True, slots=True)
class Wallet:
    """One wallet of an asset.

    Attributes:
        asset: v2 name of the asset that the wallet holds (``DOT``).
        suffix: what follows the dot; empty for the spot wallet.
        days: days of a bond as they are spelled (``28``); empty without one.
    """

    asset: str
    suffix: str = ""
    days: str = ""

    @property
    def name(self) -> str:
        """Return our spelling of the wallet: ``BTC``, ``BTC.F``, ``DOT28.S``."""
        return f"{self.asset}{self.days}.{self.suffix}" if self.suffix else self.asset

    @property
    def kind(self) -> WalletKind:
        """Return what the suffix means; one that is not known is not spendable."""
        return WALLETS.get(self.suffix, _UNKNOWN)

    @property
    def counted_as(self) -> str:
        """Return the asset that the wallet counts as: its base if orders spend it, else itself."""
        return self.asset if self.kind.spendable else self.name


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
        self._assets: dict[str, str] = {}
        for rest_id, row in assets.items():
            altname = str(_field(row, "altname") or rest_id)
            # Wallets (XBT.M) have rows of their own here; they are read by their suffix, or their
            # stem would stay Kraken's.
            if "." not in rest_id:
                self._learn_asset(v2_asset(altname), (rest_id, altname))
        for rest_id, row in pairs.items():
            wsname = _field(row, "wsname")
            if wsname:
                altname = str(_field(row, "altname") or rest_id)
                self._learn(v2_symbol(str(wsname)), (rest_id, altname, str(wsname)))

    def _learn_asset(self, name: str, spellings: Iterable[str]) -> None:
        self._assets.setdefault(name, name)
        for spelling in spellings:
            self._assets[spelling] = name

    def _learn(self, symbol: str, spellings: Iterable[str]) -> None:
        self._symbols[symbol] = symbol
        self._symbols.setdefault(symbol.replace("/", ""), symbol)
        for spelling in spellings:
            self._symbols[spelling] = symbol

    def symbol(self, spelling: str) -> str:
        """Return the v2 symbol of a pair in any spelling; an unknown one comes back as it is."""
        return self._symbols.get(spelling, spelling)

    def wallet(self, spelling: str) -> Wallet:
        """Return the wallet that a balance, a ledger row or the private stream names."""
        stem, _, suffix = spelling.partition(".")
        known = self._assets.get(stem)
        if known is not None or not suffix:
            return Wallet(known or v2_asset(stem), suffix)
        bonded = _BONDED.fullmatch(stem)
        if bonded is not None and bonded["stem"] in self._assets:
            return Wallet(self._assets[bonded["stem"]], suffix, bonded["days"])
        return Wallet(v2_asset(stem), suffix)
