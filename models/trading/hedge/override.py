"""A hedge set by hand: by whom, why, and until when (H-3)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from models.trading.verdicts import Check, Verdict


@dataclass(frozen=True, slots=True)
class HedgeOverride:
    """A target share in USD that a person set; times are market time.

    ``expires_at`` None: until it is cleared.
    """

    share: Decimal
    author: str
    reason: str
    set_at: datetime
    expires_at: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        """Tell whether its time has passed."""
        return self.expires_at is not None and now >= self.expires_at


def judge_override(override: HedgeOverride) -> Verdict:
    """Tell whether an override can be taken: a share, an author, a reason, an expiry to come."""
    share = override.share
    usable = share.is_finite() and 0 <= share <= 1
    later = override.expires_at is None or override.expires_at > override.set_at
    return Verdict(
        (
            Check("H-3", "invalid-override", usable, f"the share {share} lies between 0 and 1"),
            _check(override.author, "an author"),
            _check(override.reason, "a reason"),
            Check("H-3", "invalid-override", later, "it expires after it was set, if at all"),
        )
    )


def _check(text: str, what: str) -> Check:
    return Check("H-3", "invalid-override", bool(text.strip()), f"an override has {what}")
