"""Every spelling of an asset ends in one name, and every suffix has a meaning."""

import pytest

from activities.adapters.kraken.symbols import WALLETS, SymbolTable

ASSETS = {
    "XXBT": {"altname": "XBT"},
    "XXDG": {"altname": "XDG"},
    "XETH": {"altname": "ETH"},
    "ETH2": {"altname": "ETH2"},
    "ZUSD": {"altname": "USD"},
    "XTZ": {"altname": "XTZ"},
    "DOT": {"altname": "DOT"},
    "SOL": {"altname": "SOL"},
    "KFEE": {"altname": "FEE"},
    # Kraken lists wallets as assets too, with their own spelling as altname.
    "XBT.M": {"altname": "XBT.M"},
    "XBT.F": {"altname": "XBT.F"},
    "DOT28.S": {"altname": "DOT28.S"},
    "USD.HOLD": {"altname": "USD.HOLD"},
}
TABLE = SymbolTable({}, ASSETS)


@pytest.mark.parametrize(
    ("spelling", "name", "counted_as"),
    [
        ("XXBT", "BTC", "BTC"),
        ("XBT", "BTC", "BTC"),
        ("BTC", "BTC", "BTC"),
        ("XDG", "DOGE", "DOGE"),
        ("XXDG", "DOGE", "DOGE"),
        ("XTZ", "XTZ", "XTZ"),
        ("ZUSD", "USD", "USD"),
        ("XBT.F", "BTC.F", "BTC"),
        ("BTC.F", "BTC.F", "BTC"),
        ("XXBT.F", "BTC.F", "BTC"),
        ("USD.F", "USD.F", "USD"),
        ("XBT.M", "BTC.M", "BTC.M"),
        ("XBT.B", "BTC.B", "BTC.B"),
        ("XDG.T", "DOGE.T", "DOGE.T"),
        ("DOT.S", "DOT.S", "DOT.S"),
        ("DOT28.S", "DOT28.S", "DOT28.S"),
        ("SOL03.S", "SOL03.S", "SOL03.S"),
        ("XBT28.S", "BTC28.S", "BTC28.S"),
        ("DOT.P", "DOT.P", "DOT.P"),
        ("ETH2.S", "ETH2.S", "ETH2.S"),
        ("ZUSD.HOLD", "USD.HOLD", "USD.HOLD"),
        ("USD.HOLD", "USD.HOLD", "USD.HOLD"),
        ("XBT.Q", "BTC.Q", "BTC.Q"),
        ("KFEE", "FEE", "FEE"),
        ("NEWCOIN", "NEWCOIN", "NEWCOIN"),
        ("NEWCOIN.F", "NEWCOIN.F", "NEWCOIN"),
    ],
)
def test_spelling_has_one_name_and_one_asset_it_counts_as(spelling, name, counted_as):
    wallet = TABLE.wallet(spelling)
    assert (wallet.name, wallet.counted_as) == (name, counted_as)


def test_bonded_staking_is_of_its_base_asset_and_an_asset_with_digits_is_its_own():
    assert (TABLE.wallet("DOT28.S").asset, TABLE.wallet("DOT28.S").days) == ("DOT", "28")
    assert (TABLE.wallet("ETH2.S").asset, TABLE.wallet("ETH2.S").days) == ("ETH2", "")


def test_only_spot_and_auto_earn_are_spendable_and_a_suffix_of_tomorrow_is_not():
    spendable = {suffix for suffix, kind in WALLETS.items() if kind.spendable}
    assert spendable == {"", "F"}
    assert not TABLE.wallet("XBT.Q").kind.spendable
