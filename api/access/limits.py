"""How many requests one caller may send: a bucket that each request empties and time fills.

A person, a token and an address that shows nothing each have a bucket of their own, so that
one program in a loop leaves the others' requests alone. What stops, ends or takes back is never
counted: a stop must not wait for what the same caller asked before.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Final

from api.access.figures import LIMITED
from api.http.problems import ProblemError
from infra.runtime.settings import Settings

BURST_SECONDS: Final = 10
"""How many seconds' worth a caller who was quiet may ask at once."""
CALLERS_KEPT: Final = 10_000
"""Buckets of each kind that are kept; who was quiet for longest is forgotten first."""
STATUS: Final = HTTPStatus.TOO_MANY_REQUESTS
CODE: Final = "too-many-requests"

UNLIMITED: Final = frozenset(
    {
        *("get_health", "get_readiness", "get_metrics"),
        *("engage_kill_switch", "halt_account", "close_trade", "begin_freeze"),
        *("refuse", "refuse_universe_change"),
        *("sign_out", "revoke_session", "revoke_session_of", "revoke_token", "cancel_recovery"),
    }
)
"""Operations that are never counted: health, what stops or closes, what refuses or takes back a
request for approval, and what ends a session, a token or a recovery."""


class Buckets:
    """Token buckets by key, in bounded memory."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = per_second * BURST_SECONDS
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._left)

    def take(self, key: str) -> int | None:
        """Take one request out of a bucket; return the seconds to wait when there is none in it."""
        now = self._clock()
        left, since = self._left.pop(key, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_second)
        wait = None if left >= 1 else max(1, math.ceil((1 - left) / self._per_second))
        self._left[key] = (left if left < 1 else left - 1, now)
        if len(self._left) > CALLERS_KEPT:
            self._left.popitem(last=False)
        return wait


class CallerLimits:
    """The buckets of everybody who calls this process."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        # Apart, so that many addresses cannot push out whoever is known.
        self._known = Buckets(settings.caller_requests, clock)
        self._strangers = Buckets(settings.stranger_requests, clock)

    def count_known(self, operation: str, kind: str, key: str) -> None:
        """Count a request of a caller who is known.

        Raises:
            ProblemError: 429 ``too-many-requests``, with the time to wait; nothing was begun.
        """
        if operation not in UNLIMITED:
            _refuse_beyond(self._known.take(key), kind)

    def count_stranger(self, operation: str, address: str) -> None:
        """Count a request that shows nothing, or nothing that is worth anything.

        Raises:
            ProblemError: as for a caller who is known.
        """
        if operation not in UNLIMITED:
            _refuse_beyond(self._strangers.take(_network_of(address)), "address")


def _refuse_beyond(wait: int | None, kind: str) -> None:
    if wait is None:
        return
    LIMITED.labels(kind).inc()
    raise ProblemError(
        STATUS,
        CODE,
        f"Too many requests came from this {kind}. Send it again in {wait} s.",
        lasting=False,
        headers={"Retry-After": str(wait)},
    )


def _network_of(address: str) -> str:
    # Whoever has one address of IPv6 usually has the 2^64 beside it.
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(known, IPv6Address):
        return str(known)
    return str(known.ipv4_mapped or int(known) >> 64)
