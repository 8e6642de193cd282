"""What kind of refusal the exchange's words are, and so what is done next.

======== ================================================ =========================================
class    what it means                                    what is done next
======== ================================================ =========================================
passing  the same request may be taken a little later     again after a pause that grows
lost     nobody refused it: it is proven to be absent     again soon, what is held covered first
lasting  it is refused until something else changes       ask what is held; again, seldom
stale    our knowledge of the pair is out of date         the adapter reads the pairs anew; again
mistake  a request as we must not send one                again, seldom; people have to look
======== ================================================ =========================================

One table for every order, amend and cancel. Source: kraken-protocol §3 (docs.kraken.com, guide
"errors"; the retry rules of Kraken's SDK), and §8.3 for the reasons of orders that the engine ends.
"""

from enum import StrEnum


class RefusalClass(StrEnum):
    """What kind of refusal it is."""

    PASSING = "passing"
    LOST = "lost"
    LASTING = "lasting"
    STALE = "stale"
    MISTAKE = "mistake"


_PASSING, _LASTING = RefusalClass.PASSING, RefusalClass.LASTING
_STALE, _MISTAKE = RefusalClass.STALE, RefusalClass.MISTAKE

TABLE: tuple[tuple[str, RefusalClass], ...] = (
    # The longer of two prefixes stands first.
    ("EService:Market in", _STALE),
    ("EService:", _PASSING),
    ("EOrder:Rate limit exceeded", _PASSING),
    ("EOrder:Domain rate limit exceeded", _PASSING),
    ("EOrder:Orders limit exceeded", _PASSING),
    ("EOrder:Scheduled orders limit exceeded", _PASSING),
    ("EOrder:Unknown order", _PASSING),
    ("EOrder:Insufficient funds", _LASTING),
    ("EOrder:Order minimum not met", _STALE),
    ("EOrder:Cost minimum not met", _STALE),
    ("EOrder:Tick size check failed", _STALE),
    ("EOrder:Invalid price", _STALE),
    ("EOrder:Post only order", _PASSING),
    ("EOrder:Cannot open", _MISTAKE),
    ("EOrder:Margin", _MISTAKE),
    ("EOrder:Insufficient margin", _MISTAKE),
    ("EOrder:Positions limit exceeded", _MISTAKE),
    ("EOrder:Unknown position", _MISTAKE),
    ("EOrder:Reduce only", _MISTAKE),
    ("EOrder:", _LASTING),
    ("EGeneral:Invalid arguments:volume", _STALE),
    ("EGeneral:Invalid arguments:price", _STALE),
    ("EGeneral:Invalid arguments:Index unavailable", _PASSING),
    ("EGeneral:Invalid arguments", _MISTAKE),
    ("EGeneral:Unknown method", _MISTAKE),
    ("EGeneral:Permission denied", _LASTING),
    ("EGeneral:", _PASSING),
    ("EQuery:", _STALE),
    ("EAccount:", _LASTING),
    ("EAPI:Rate limit exceeded", _PASSING),
    ("EAPI:Invalid nonce", _PASSING),
    ("EAPI:Bad request", _MISTAKE),
    ("EAPI:", _LASTING),
    ("EAuth:Rate limit exceeded", _PASSING),
    ("EAuth:Too many requests", _PASSING),
    ("EAuth:", _LASTING),
    ("ESession:", _PASSING),
    ("EBM:", _PASSING),
    ("ETrade:", _MISTAKE),
    ("EFunding:", _LASTING),
    ("Insufficient funds", _LASTING),
    ("symbol was", _STALE),
)

PROVEN_ABSENT = "absent after its deadline, by the exchange's word"
"""Why an order is not there that was sent: lost on its way, refused by nobody."""
STOPS_SOLD_ALL = "the stops had sold everything"
"""Why an exit is not sent when its stops fired first: nobody has refused it."""
STOPS_STAY = " (not sent, the stops stay)"
"""Ends the reason of an exit not tried because the pair takes no sale, or the stops no cancel."""

_FUNDS = ("EOrder:Insufficient funds", "Insufficient funds")


def refusal_class(reason: str | None) -> RefusalClass:
    """Return the class of a refusal by its words.

    What the exchange did not say (no connection, the market's protection) is passing, a proven
    absence is lost; an error string that nobody knows is lasting: it is not tried often.
    """
    words = reason or ""
    if words.startswith(PROVEN_ABSENT):
        return RefusalClass.LOST
    for prefix, kind in TABLE:
        if words.startswith(prefix):
            return kind
    return _LASTING if words[:1] == "E" and ":" in words[:12] else _PASSING


def is_short_of_funds(reason: str | None) -> bool:
    """Tell whether the exchange holds less than the order wants."""
    return (reason or "").startswith(_FUNDS)
