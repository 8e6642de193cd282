"""When entries wait for protection: the rule that keeps new positions from delaying old stops.

A machine that is asked for more than it can do delays everything alike, the stop under a position
too. Entries are what can be refused, so they are refused first: for one account while a position
of its own waits too long for its stop, for all while several positions wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

ACCOUNT_LIMIT_SECONDS = 2.0
"""How long one position may wait before its account takes no further entry (promised: 5 s)."""
PLATFORM_LIMIT_SECONDS = 1.0
"""How long a position waits before it counts as queued behind the platform's own work."""
PLATFORM_LIMIT_POSITIONS = 3
"""How many queued positions show that the platform, not one order, is late."""
CALM_LIMIT_SECONDS = 0.5
CALM_SECONDS = 3.0
"""Entries are taken again once nothing has waited longer than the limit for so long."""


@dataclass(frozen=True, slots=True)
class WaitingPosition:
    """A position that no stop and no exit covers yet, and for how long, in protocol seconds."""

    account: str
    trade: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ProtectionBacklog:
    """What waits for protection, and whether entries are refused because of it.

    Attributes:
        waiting: positions without cover, in any order.
        overloaded: whether entries of all accounts are refused.
        calm_since: since when nothing has waited long, as a monotonic reading; None while it does.
    """

    waiting: tuple[WaitingPosition, ...] = ()
    overloaded: bool = False
    calm_since: float | None = None

    @property
    def oldest_seconds(self) -> float:
        """Return how long the longest waits; 0 where nothing does."""
        return max((position.seconds for position in self.waiting), default=0.0)

    def refusal(self, account: str) -> str | None:
        """Return why an account may take no entry now, None where it may."""
        if self.overloaded:
            return (
                f"{len(self.waiting)} positions wait for their stops,"
                f" the longest for {self.oldest_seconds:.1f} s"
            )
        own = [p for p in self.waiting if p.account == account]
        late = [p for p in own if p.seconds > ACCOUNT_LIMIT_SECONDS]
        if late:
            longest = max(late, key=lambda position: position.seconds)
            return (
                f"trade {longest.trade} of this account has waited {longest.seconds:.1f} s"
                " for its stop"
            )
        return None


def next_backlog(
    before: ProtectionBacklog, waiting: Sequence[WaitingPosition], now: float
) -> ProtectionBacklog:
    """Return the backlog after a new reading at a monotonic time, with hysteresis."""
    queued = sum(position.seconds > PLATFORM_LIMIT_SECONDS for position in waiting)
    calm = all(position.seconds <= CALM_LIMIT_SECONDS for position in waiting)
    after = replace(
        before,
        waiting=tuple(waiting),
        calm_since=(now if before.calm_since is None else before.calm_since) if calm else None,
    )
    if queued >= PLATFORM_LIMIT_POSITIONS:
        return replace(after, overloaded=True)
    if before.overloaded and after.calm_since is not None:
        return replace(after, overloaded=now - after.calm_since < CALM_SECONDS)
    return after
