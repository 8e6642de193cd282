"""Outcomes of rules: what was checked, with which figures, and what it means."""

from dataclasses import dataclass
from decimal import Decimal

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied. ``rule`` names the requirement (``R-5``); ``code`` is for machines."""

    rule: str
    code: str
    passed: bool
    reason: str
    figure: Decimal | None = None
    limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of all rules on one proposal; refused as soon as one check failed."""

    checks: tuple[Check, ...]

    @property
    def allowed(self) -> bool:
        """Tell whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """Return the checks that refused, in the order they were made."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def reason(self) -> str:
        """Return the reasons of refusal in one line, empty when allowed."""
        return "; ".join(check.reason for check in self.failures)


@dataclass(frozen=True, slots=True)
class Headroom:
    """What one limit on value leaves: USD used, USD allowed. A share of nothing is nothing."""

    name: str
    used: Decimal
    limit: Decimal
    rule: str = "R-3"
    code: str = "limit-exceeded"

    @property
    def left(self) -> Decimal:
        """Return USD that may be added, never below zero."""
        return max(ZERO, self.limit - self.used)

    def check(self, added: Decimal) -> Check:
        """Tell whether a value in USD may be added."""
        figure = self.used + added
        reason = f"{self.name} {figure:.2f} USD against {self.limit:.2f} USD allowed"
        return Check(self.rule, self.code, figure <= self.limit, reason, figure, self.limit)
