"""What is counted of people signing in and being refused; ``docs/metrics.md`` explains each."""

from prometheus_client import Counter

SIGN_IN_FAILURES = Counter(
    "aether_sign_in_failures",
    "Attempts to sign in that failed, by what failed; names that nobody has are told apart here",
    ("step",),
)
SECOND_FACTOR_DENIED = Counter(
    "aether_second_factor_denied",
    "Second factors that were refused, at sign-in and for single actions, by kind",
    ("kind",),
)
SIGN_INS = Counter("aether_sign_ins", "Sessions opened, by the second factor shown", ("method",))
DENIED = Counter(
    "aether_access_denied",
    "Requests of known callers refused because they had no right, by code",
    ("code",),
)
BROKEN_GLASS = Counter(
    "aether_freeze_broken", "Changes that a person has made in spite of a change freeze"
)
LIMITED = Counter(
    "aether_requests_limited",
    "Requests refused because their caller sent too many, by kind of caller",
    ("caller",),
)
