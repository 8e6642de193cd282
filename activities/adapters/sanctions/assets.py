"""Which of our assets a published list names: by ticker, CoinGecko's id and alias."""

from collections.abc import Iterable, Sequence

from activities.adapters.coingecko.prices import COIN_IDS
from activities.adapters.sanctions.sdn import read_list
from activities.ports.market_data import ReadSanctions
from models.trading.universe.sanctions import SanctionsEntry, named_assets


def read_sanctions(source: str, assets: Sequence[str]) -> ReadSanctions:
    """Read a list and find what it says of assets.

    Raises:
        SanctionsListError: it cannot be had, is no list, or is too short to be whole.
    """
    found = read_list(source)
    named = {
        asset: f"{entry.number} {entry.name}"
        for asset, entry in assets_named(found.entries, assets).items()
    }
    return ReadSanctions(found.digest, source, found.published, len(found.entries), named)


def assets_named(
    entries: Iterable[SanctionsEntry], assets: Iterable[str]
) -> dict[str, SanctionsEntry]:
    """Return the first entry that names each asset."""
    return named_assets(entries, {one: (one, COIN_IDS.get(one, "")) for one in sorted(set(assets))})
