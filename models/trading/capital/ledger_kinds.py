"""What a booking of the exchange's ledger means for capital, by Kraken's type and subtype.

Sources: Kraken's REST reference (Ledgers, Earn) and its ledger exports. What is in neither table
is unknown: it is counted as capital moved from outside, and named as a finding that people see.
"""

from collections.abc import Mapping
from enum import StrEnum


class LedgerMeaning(StrEnum):
    """What a booking does to capital."""

    TRADE = "trade"
    """An execution; the record holds it by its execution id."""
    CAPITAL = "capital"
    """Value that came in or went out and that trading neither earned nor lost."""
    MOVE = "move"
    """Between wallets of one asset: nothing, where both of them count as the asset."""
    INCOME = "income"
    """What capital earned while it was held: profit, no capital brought in."""
    UNKNOWN = "unknown"
    """A type that nobody here has a meaning for."""


_BY_KIND: Mapping[str, LedgerMeaning] = {
    "trade": LedgerMeaning.TRADE,
    "deposit": LedgerMeaning.CAPITAL,
    "withdrawal": LedgerMeaning.CAPITAL,
    # To and from futures, other sub-accounts, or a fork's coins that were credited.
    "transfer": LedgerMeaning.CAPITAL,
    "custodytransfer": LedgerMeaning.CAPITAL,
    # Corrections and loans by the exchange: neither earned nor lost by what was held.
    "adjustment": LedgerMeaning.CAPITAL,
    "credit": LedgerMeaning.CAPITAL,
    # Swaps by hand, outside of the order book: what goes out and what comes in, each at its price.
    "conversion": LedgerMeaning.CAPITAL,
    "dustsweeping": LedgerMeaning.CAPITAL,
    "spend": LedgerMeaning.CAPITAL,
    "receive": LedgerMeaning.CAPITAL,
    "sale": LedgerMeaning.CAPITAL,
    "staking": LedgerMeaning.INCOME,
    "reward": LedgerMeaning.INCOME,
    "dividend": LedgerMeaning.INCOME,
    "airdrop": LedgerMeaning.INCOME,
}
_BY_SUBTYPE: Mapping[tuple[str, str], LedgerMeaning] = {
    ("transfer", "spottostaking"): LedgerMeaning.MOVE,
    ("transfer", "spotfromstaking"): LedgerMeaning.MOVE,
    ("transfer", "stakingtospot"): LedgerMeaning.MOVE,
    ("transfer", "stakingfromspot"): LedgerMeaning.MOVE,
    ("earn", "allocation"): LedgerMeaning.MOVE,
    ("earn", "deallocation"): LedgerMeaning.MOVE,
    ("earn", "autoallocation"): LedgerMeaning.MOVE,
    ("earn", "autodeallocation"): LedgerMeaning.MOVE,
    ("earn", "migration"): LedgerMeaning.MOVE,
    ("earn", "reward"): LedgerMeaning.INCOME,
    ("earn", "airdrop"): LedgerMeaning.INCOME,
    ("transfer", "airdrop"): LedgerMeaning.INCOME,
}


def ledger_meaning(kind: str, subtype: str = "") -> LedgerMeaning:
    """Return what a booking of a type and subtype means; never an error."""
    exact = _BY_SUBTYPE.get((kind, subtype))
    return exact or _BY_KIND.get(kind, LedgerMeaning.UNKNOWN)
