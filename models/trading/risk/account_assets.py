"""What the assets of one account count as, at the last prices it knows."""

from decimal import Decimal

from models.trading.account.capital import portfolio
from models.trading.account.settings.in_force import rules_of_platform
from models.trading.account.state import ZERO, AccountState
from models.trading.risk.assets import AssetRules, is_off_peg


def asset_rules(state: AccountState) -> AssetRules:
    """Return how the account tells assets apart.

    A stablecoin is off its peg beyond the tolerance until it is back within the return band, and
    while no price of it is known.
    """
    compliance = rules_of_platform(state.platform).compliance
    off = set(state.off_peg)
    off |= {
        asset
        for asset in compliance.stablecoins
        if is_off_peg(state.prices.get(f"{asset}/USD"), compliance.peg_tolerance)
    }
    return AssetRules(compliance.stablecoins, frozenset(off))


def exposures(state: AccountState) -> dict[str, Decimal]:
    """Return USD held in each pair, and promised to its entries, that counts as exposure."""
    rules = asset_rules(state)
    return {
        symbol: portfolio.pair_exposure(state, symbol)
        for symbol in portfolio.symbols(state)
        if not rules.is_cash(symbol.partition("/")[0])
    }


def stablecoin_values(state: AccountState) -> dict[str, Decimal]:
    """Return USD held in each stablecoin's pair, and promised to its entries, peg or not."""
    rules = asset_rules(state)
    values: dict[str, Decimal] = {}
    for symbol in portfolio.symbols(state):
        if rules.issuer(symbol.partition("/")[0]) is not None:
            values[symbol] = portfolio.pair_exposure(state, symbol)
    return values


def issuer_values(state: AccountState) -> dict[str, Decimal]:
    """Return USD in the stablecoins of each issuer."""
    rules, totals = asset_rules(state), dict[str, Decimal]()
    for symbol, value in stablecoin_values(state).items():
        issuer = rules.issuer(symbol.partition("/")[0])
        if issuer is not None:
            totals[issuer] = totals.get(issuer, ZERO) + value
    return totals
