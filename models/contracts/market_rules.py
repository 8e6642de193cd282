"""Messages of the workflows that keep what the platform's rules say of the market."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MarketRulesRun:
    """One run; ``boundary`` names it where the market's clock started it, for the log."""

    boundary: str = ""


@dataclass(frozen=True, slots=True)
class UniverseReviewed:
    """What a review of the universe found: its version, and a proposal unless nothing changes."""

    version: int
    installed: bool
    proposal: int | None
    joins: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupsComputed:
    """The stored outcome of one computation of the correlation groups."""

    number: int
    symbols: int
    groups: int


@dataclass(frozen=True, slots=True)
class RulesSignalled:
    """How many accounts were told; those whose workflow does not run learn it when it starts."""

    accounts: int
