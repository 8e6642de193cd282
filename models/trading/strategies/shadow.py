"""Two decision paths on the same ideas, side by side: what they decided, traded and earned.

A shadow is an account in simulation that follows the same strategies under settings of its own. An
idea has the same id for everybody, so decisions are compared one by one, and what became of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Agreement(StrEnum):
    """How two decisions on one idea stand to each other."""

    BOTH_TRADED = "both_traded"
    BOTH_REFUSED = "both_refused"
    ONLY_ACCOUNT = "only_account"
    ONLY_SHADOW = "only_shadow"
    NOT_SEEN_BY_ACCOUNT = "not_seen_by_account"
    NOT_SEEN_BY_SHADOW = "not_seen_by_shadow"


@dataclass(frozen=True, slots=True)
class Traded:
    """What became of an idea that was traded; ``profit`` in USD, net of fees, once it is settled.

    Prices are averages of the executions, None while there are none.
    """

    number: int
    quantity: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None
    fees: Decimal
    profit: Decimal | None


@dataclass(frozen=True, slots=True)
class Decided:
    """One account's decision on an idea; ``failed`` are the codes of the checks that refused."""

    symbol: str
    bar_start: datetime
    failed: tuple[str, ...]
    traded: Traded | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One idea as both decided on it, None where one never saw it."""

    idea_id: str
    agreement: Agreement
    account: Decided | None
    shadow: Decided | None

    @property
    def profit_difference(self) -> Decimal | None:
        """Return USD by which the shadow did better, None until both sides are settled."""
        account, shadow = _profit(self.account), _profit(self.shadow)
        return None if account is None or shadow is None else shadow - account


@dataclass(frozen=True, slots=True)
class Comparison:
    """All ideas, the newest first, with counts and the profit of each side in USD."""

    differences: tuple[Difference, ...]
    counts: Mapping[Agreement, int]
    account_profit: Decimal
    shadow_profit: Decimal


def compare(account: Mapping[str, Decided], shadow: Mapping[str, Decided]) -> Comparison:
    """Compare two accounts' decisions by the ids of their ideas."""
    found = [
        Difference(
            name,
            _agreement(account.get(name), shadow.get(name)),
            account.get(name),
            shadow.get(name),
        )
        for name in account.keys() | shadow.keys()
    ]
    found.sort(key=lambda one: (_bar(one), one.idea_id), reverse=True)
    counts = {kind: sum(one.agreement is kind for one in found) for kind in Agreement}
    return Comparison(tuple(found), counts, _total(account), _total(shadow))


def _agreement(account: Decided | None, shadow: Decided | None) -> Agreement:
    if account is None:
        return Agreement.NOT_SEEN_BY_ACCOUNT
    if shadow is None:
        return Agreement.NOT_SEEN_BY_SHADOW
    match (account.traded is not None, shadow.traded is not None):
        case (True, True):
            return Agreement.BOTH_TRADED
        case (True, False):
            return Agreement.ONLY_ACCOUNT
        case (False, True):
            return Agreement.ONLY_SHADOW
        case _:
            return Agreement.BOTH_REFUSED


def _profit(decided: Decided | None) -> Decimal | None:
    """Return USD that an idea came to; what was not traded came to nothing."""
    if decided is None or decided.traded is None:
        return ZERO
    return decided.traded.profit


def _total(decisions: Mapping[str, Decided]) -> Decimal:
    return sum((profit for one in decisions.values() if (profit := _profit(one))), ZERO)


def _bar(difference: Difference) -> datetime:
    decided = difference.account or difference.shadow
    assert decided is not None
    return decided.bar_start
