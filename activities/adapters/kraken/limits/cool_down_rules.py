"""After which refusals Kraken is left alone, for how long, and who must be quiet.

===================  =========================================  =======  =====  =======
rule                 error strings                              scope    first  longest
===================  =========================================  =======  =====  =======
lockout              EGeneral:Temporary lockout                 key      30 s   16 min
credentials          EAPI:Invalid key | signature, ESession     key      30 s   16 min
account              EAuth:*                                    key      30 s   16 min
permission           EGeneral:Permission denied                 method   30 s   5 min
nonce                EAPI:Invalid nonce (twice in a row)        key      0.5 s  1 min
throttled            EService: Throttled: <unix time>           key      until its time, 15 min
requests             EGeneral:Too many requests                 address  0.5 s  1 min
address_ban          HTTP 403 | 429 with Cloudflare 1015, 1006  address  30 s   11 min
address_throttled    HTTP 429                                   address  0.5 s  1 min
public_rate          EAPI:Rate limit exceeded, public calls     public   2 s    1 min
===================  =========================================  =======  =====  =======

What protects a position (stops, exits, cancels and amends of theirs) waits at most 2 s for a pause
of ``nonce``, ``requests`` and ``address_throttled``: the exchange has not said how long it refuses.

Each pause is twice the one before, and after each a single request tries whether it is over. A
lockout lasts about 15 minutes (kraken-protocol §2; krakenfx/kraken-cli issue 34: "clears on its own
after roughly 15 minutes of not retrying"), and nobody tells how much of it is left. The first
tries find one that is nearly over; the last pause is longer than the whole lockout, so that it ends
even where each try begins it anew. A Cloudflare ban lasts 10 minutes (§4.3).

The counters of signed reads (EAPI:Rate limit exceeded) and of the trading engine (EOrder:Rate limit
exceeded) cool down in ``rate_budget``, which knows how fast they decay.
"""

import re
import time
from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Who is quiet during a cool-down."""

    KEY = "key"
    METHOD = "method"
    ADDRESS = "address"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class CoolDownRule:
    """A kind of refusal and its pauses, in seconds.

    ``is_guess``: the exchange has refused requests and not said that it will refuse the next ones;
    what protects a position then waits no longer than ``PROTECTION_SECONDS``.
    """

    name: str
    prefixes: tuple[str, ...]
    scope: Scope
    first: float
    longest: float
    signed: bool = True
    is_guess: bool = False

    def pause(self, rung: int) -> float:
        """Return the pause after so many refusals before this one."""
        return min(self.first * 2.0 ** min(rung, 30), self.longest)


PROTECTION_SECONDS = 2.0
"""Of the five that a position may be without its stop once the exchange answers again."""

LOCKOUT = CoolDownRule("lockout", ("EGeneral:Temporary lockout",), Scope.KEY, 30.0, 960.0)
_THROTTLED = CoolDownRule("throttled", ("EService:",), Scope.KEY, 1.0, 900.0)

RULES = (
    LOCKOUT,
    CoolDownRule(
        "credentials",
        ("EAPI:Invalid key", "EAPI:Invalid signature", "ESession:Invalid session"),
        Scope.KEY,
        30.0,
        960.0,
    ),
    CoolDownRule("account", ("EAuth:",), Scope.KEY, 30.0, 960.0),
    CoolDownRule("permission", ("EGeneral:Permission denied",), Scope.METHOD, 30.0, 300.0),
    CoolDownRule("nonce", ("EAPI:Invalid nonce",), Scope.KEY, 0.5, 60.0, is_guess=True),
    CoolDownRule(
        "requests", ("EGeneral:Too many requests",), Scope.ADDRESS, 0.5, 60.0, is_guess=True
    ),
    CoolDownRule("address_ban", ("HTTP ban",), Scope.ADDRESS, 30.0, 660.0),
    CoolDownRule(
        "address_throttled", ("HTTP status 429",), Scope.ADDRESS, 0.5, 60.0, is_guess=True
    ),
    CoolDownRule(
        "public_rate", ("EAPI:Rate limit exceeded",), Scope.PUBLIC, 2.0, 60.0, signed=False
    ),
)
_BY_NAME = {rule.name: rule for rule in (*RULES, _THROTTLED)}
_THROTTLED_UNTIL = re.compile(r"^EService:\s*Throttled:?\s*(?P<until>\d+(\.\d+)?)?")


def rule_for(raw: str, *, signed: bool) -> CoolDownRule | None:
    """Return the rule that an error string falls under, None: it calls for no cool-down."""
    if _THROTTLED_UNTIL.match(raw):
        return _THROTTLED
    found = (rule for rule in RULES if raw.startswith(rule.prefixes))
    return next((rule for rule in found if rule.signed or not signed), None)


def rule_named(name: str) -> CoolDownRule | None:
    """Return the rule of a name."""
    return _BY_NAME.get(name)


def told_seconds(raw: str, now: float | None = None) -> float | None:
    """Return for how long an error string itself asks to be left alone, None: it does not say."""
    found = _THROTTLED_UNTIL.match(raw)
    if found is None or not found["until"]:
        return None
    return max(0.5, float(found["until"]) - (time.time() if now is None else now))  # noqa: TID251 - the default of an argument
