"""On what it rests that an entry is worth its costs, and what entries resting on nothing may cost.

An entry without an expectation is a wager on nothing that is known. It is marked, and what such
entries cost (fees, spread and slippage of the round trip as estimated at the decision) is held to a
budget per day of the account. What was entered counts, whether it filled or not: an order that is
withdrawn in time gives its share back on the next day only, which errs on less trading.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.trading.verdicts import Check

ZERO = Decimal(0)


class EntryBasis(StrEnum):
    """On what an entry rests."""

    EVIDENCE = "evidence"
    UNPROVEN = "unproven"
    TARGET = "target"
    NO_EXPECTATION = "no_expectation"
    HEDGE = "hedge"
    UNSTATED = "unstated"


UNBACKED = (EntryBasis.UNPROVEN, EntryBasis.NO_EXPECTATION)
"""Bases that count against the budget."""


@dataclass(frozen=True, slots=True)
class CostBudget:
    """USD that entries without an expectation were estimated to cost on a day of the account."""

    day: date | None = None
    spent: Decimal = ZERO

    def on(self, day: date) -> "CostBudget":
        """Return the budget as it stands on a day; a day that is past already starts nothing."""
        return CostBudget(day) if self.day is None or day > self.day else self

    def with_entry(self, day: date, cost: Decimal) -> "CostBudget":
        """Return the budget after one more entry."""
        current = self.on(day)
        return CostBudget(current.day, current.spent + cost)


def check_budget(spent: Decimal, cost: Decimal, allowed: Decimal) -> Check:
    """Hold an entry without an expectation to what such entries may cost a day (R-6), in USD."""
    total = spent + cost
    reason = f"entries without an expectation cost {total:.2f} USD today, {allowed:.2f} allowed"
    return Check("R-6", "cost-budget-spent", total <= allowed, reason, total, allowed)
