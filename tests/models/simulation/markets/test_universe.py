from decimal import Decimal

import pytest

from models.simulation.markets.instruments import UNIVERSE, UnknownPairError
from models.simulation.markets.scale import Scale
from models.simulation.symbols import Directory


@pytest.mark.parametrize("listing", UNIVERSE.listings, ids=lambda listing: listing.symbol)
def test_universe_any_spelling_finds_the_pair(listing):
    for spelling in listing.spellings:
        assert UNIVERSE.pair(spelling) is listing


def test_universe_bitcoin_has_four_spellings_and_the_plain_one():
    names = {"XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "BTCUSD"}
    assert UNIVERSE.pair("XBTUSD").spellings == names


def test_universe_by_symbol_refuses_rest_spellings():
    with pytest.raises(UnknownPairError):
        UNIVERSE.by_symbol("XBT/USD")


def test_universe_unknown_asset_is_refused():
    with pytest.raises(UnknownPairError):
        UNIVERSE.asset("PEPE")


def test_universe_names_agree_with_the_venue_directory():
    directory = Directory(UNIVERSE.instruments.values())
    for listing in UNIVERSE:
        names = directory.names(listing.symbol)
        assert (names.rest_id, names.altname, names.wsname) == (
            listing.instrument.rest_id,
            listing.altname,
            listing.wsname,
        )
        assert directory.asset(listing.instrument.base).rest_id == listing.base_id
    for asset in UNIVERSE.assets:
        known = directory.asset(asset.name)
        assert (known.rest_id, known.altname) == (asset.rest_id, asset.altname)


def test_universe_only_keeps_the_assets_its_pairs_need():
    reduced = UNIVERSE.only(["DOGE/USD"])
    assert reduced.symbols == ("DOGE/USD",)
    assert {asset.name for asset in reduced.assets} == {"USD", "DOGE"}


@pytest.mark.parametrize("listing", UNIVERSE.listings, ids=lambda listing: listing.symbol)
def test_universe_every_reference_price_is_on_the_tick(listing):
    scale = Scale(listing.instrument)
    price = listing.instrument.nearest_price(listing.reference_price)
    assert scale.price(scale.ticks(price)) == price
    assert str(scale.quantity(1)) == str(Decimal(1).scaleb(-8))
