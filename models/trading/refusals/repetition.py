"""How often a refused request may be sent again, and when.

The same request goes out twice at most. After that a pause comes before every further try, and it
grows from try to try: the exchange is not asked for ever what it will never grant, and what it
grants again later is still done.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from models.trading.refusals.kinds import RefusalClass, refusal_class

SENDS_MAXIMUM = 2
"""Sends of one request, unchanged, before a pause."""

_UNCOVERS = ("exit", "part")
"""Requests for which stops are withdrawn first.

One that was lost left what is held bare until its absence was proven: a second in a row would be
bare twice as long, so the stops come back in between.
"""

_PAUSES = {
    RefusalClass.PASSING: (timedelta(seconds=2), timedelta(seconds=30)),
    RefusalClass.LOST: (timedelta(seconds=1), timedelta(seconds=3)),
    RefusalClass.STALE: (timedelta(seconds=10), timedelta(minutes=5)),
    RefusalClass.LASTING: (timedelta(seconds=30), timedelta(minutes=15)),
    RefusalClass.MISTAKE: (timedelta(minutes=1), timedelta(minutes=15)),
}
BARE_LONGEST = timedelta(minutes=1)
"""Longest pause while what is held is not covered by a stop: something must still be tried."""
WORDS_KEPT = 200


class Requested(StrEnum):
    """What was asked for."""

    EXIT = "exit"
    STOP = "stop"
    AMEND = "amend"
    CANCEL = "cancel"
    PART = "part"


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that was refused as often as it was sent, unchanged.

    Attributes:
        what: the order or change that was asked for.
        figures: what makes two requests the same: quantity and price.
        times: refusals in a row.
        kind: the class of the last refusal, ``reason`` its words.
        waits: a pause is in force and it must not be sent.
        not_before: protocol time at which the pause ends, None: the next review begins it.
    """

    what: Requested
    figures: str
    times: int
    kind: RefusalClass
    reason: str
    waits: bool = False
    not_before: datetime | None = None

    def pause(self, *, bare: bool) -> timedelta:
        """Return how long the pause after the last refusal is; ``bare``: no stop covers all."""
        first, longest = _PAUSES[self.kind]
        if bare:
            longest = min(longest, BARE_LONGEST)
        doublings = min(max(0, self.times - sends_maximum(self.what, self.kind)), 20)
        return min(first * (1 << doublings), longest)


Refused = tuple[RefusedRequest, ...]


def sends_maximum(what: Requested, kind: RefusalClass) -> int:
    """Return how often a request goes out, unchanged, before a pause."""
    return 1 if kind is RefusalClass.LOST and what.value in _UNCOVERS else SENDS_MAXIMUM


def with_refusal(known: Refused, what: Requested, figures: str, reason: str | None) -> Refused:
    """Count a refusal. A request with other figures is another one and begins anew."""
    before = refused(known, what)
    times = before.times + 1 if before is not None and before.figures == figures else 1
    words = (reason or "it ended unfilled")[:WORDS_KEPT]
    kind = refusal_class(reason)
    now = RefusedRequest(
        what=what,
        figures=figures,
        times=times,
        kind=kind,
        reason=words,
        waits=times >= sends_maximum(what, kind),
    )
    return (*without_refusal(known, what), now)


def without_refusal(known: Refused, what: Requested) -> Refused:
    """Forget the refusals of a request: it was taken, or is not wanted any more."""
    return tuple(one for one in known if one.what is not what)


def refused(known: Refused, what: Requested) -> RefusedRequest | None:
    """Return the refusals of a request, None: the last one was taken."""
    return next((one for one in known if one.what is what), None)


def must_wait(known: Refused, what: Requested, figures: str | None = None) -> bool:
    """Tell whether a request must not be sent now; with other figures it may be."""
    one = refused(known, what)
    return one is not None and one.waits and figures in (None, one.figures)


def at_review(known: Refused, at: datetime, *, bare: bool) -> Refused:
    """Begin the pauses that are due to begin, and end those that are over.

    ``bare``: not all that is held is covered by stops that rest.
    """
    return tuple(_at_review(one, at, bare=bare) for one in known)


def _at_review(one: RefusedRequest, at: datetime, *, bare: bool) -> RefusedRequest:
    if not one.waits:
        return one
    if one.not_before is None:
        return replace(one, not_before=at + one.pause(bare=bare))
    return replace(one, waits=False) if at >= one.not_before else one


def next_try(known: Refused) -> datetime | None:
    """Return when the first of the pauses ends, None: there is none."""
    ends = (one.not_before for one in known if one.waits and one.not_before is not None)
    return min(ends, default=None)
