"""Outcomes of rules: what was checked, with which figures, and what it means."""

from dataclasses import dataclass
from decimal import Decimal


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
