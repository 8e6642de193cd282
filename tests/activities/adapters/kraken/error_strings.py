"""Kraken's error strings, and what each table makes of them: the one list that all are held to.

What a string means is said in several places, because each asks something else of it: which typed
error it is (``errors.py``), what is done with the order (``refusals/kinds.py``), who is quiet for
how long (``cool_down_rules.py``), whether the rules of the pair are read anew (``pair_rules.py``)
and whether it counts as no answer (``availability.py``).
"""

from typing import NamedTuple

from activities.ports.exchange_errors import (
    CredentialsError,
    ExchangeError,
    ExchangeUnavailableError,
    OrderGoneError,
    OrderRejectedError,
    RateLimitedError,
    UnknownOutcomeError,
)
from models.trading.refusals.kinds import RefusalClass

Typed = tuple[type[ExchangeError], ...]
"""What it is for a placement, an amend, a cancel and a read."""

REFUSED: Typed = (OrderRejectedError,) * 4
GONE: Typed = (OrderRejectedError, OrderGoneError, OrderGoneError, OrderGoneError)
UNKNOWN: Typed = (*(UnknownOutcomeError,) * 3, ExchangeUnavailableError)
AWAY: Typed = (ExchangeUnavailableError,) * 4
LIMITED: Typed = (RateLimitedError,) * 4
KEY: Typed = (CredentialsError,) * 4
NOT_IN_AN_ANSWER: Typed = ()
"""Words of a status, of a stream or of ours, which ``classify`` is not asked about."""

PASSING, LASTING = RefusalClass.PASSING, RefusalClass.LASTING
STALE, MISTAKE = RefusalClass.STALE, RefusalClass.MISTAKE


class Known(NamedTuple):
    """One error string.

    Attributes:
        raw: the string.
        typed: which error it is, by operation.
        refusal: what is done with an order that it refuses.
        cool_down: name of the rule by which a signed call leaves Kraken alone, empty: by none.
        rereads: whether the rules of the pair are read anew.
        no_answer: whether it counts as an exchange that does not answer.
    """

    raw: str
    typed: Typed
    refusal: RefusalClass
    cool_down: str = ""
    rereads: bool = False
    no_answer: bool = False


KNOWN = (
    Known("EGeneral:Invalid arguments", REFUSED, MISTAKE),
    Known("EGeneral:Invalid arguments:volume", REFUSED, STALE, rereads=True),
    Known("EGeneral:Invalid arguments:price", REFUSED, STALE, rereads=True),
    Known("EGeneral:Invalid arguments:pair", REFUSED, MISTAKE, rereads=True),
    Known("EGeneral:Invalid arguments:close", REFUSED, MISTAKE, rereads=True),
    Known("EGeneral:Invalid arguments:ordermin", REFUSED, MISTAKE, rereads=True),
    Known("EGeneral:Invalid arguments:Index unavailable", REFUSED, PASSING),
    Known("EGeneral:Invalid arguments:cl_ord_id", REFUSED, MISTAKE),
    Known("EGeneral:Invalid arguments:cl_ord_id not unique", UNKNOWN, MISTAKE),
    Known("EGeneral:Unknown method", REFUSED, MISTAKE),
    Known("EGeneral:Permission denied", KEY, LASTING, "permission"),
    Known("EGeneral:Internal error", UNKNOWN, PASSING, no_answer=True),
    Known("EGeneral:Internal error:42", UNKNOWN, PASSING, no_answer=True),
    Known("EGeneral:Temporary lockout", KEY, PASSING, "lockout"),
    Known("EGeneral:Too many requests", LIMITED, PASSING, "requests"),
    Known("EAPI:Invalid key", KEY, LASTING, "credentials"),
    Known("EAPI:Invalid signature", KEY, LASTING, "credentials"),
    Known("EAPI:Invalid nonce", KEY, PASSING, "nonce"),
    Known("EAPI:Invalid token", KEY, LASTING),
    Known("EAPI:Bad request", KEY, MISTAKE),
    Known("EAPI:Rate limit exceeded", LIMITED, PASSING),
    Known("EService:Unavailable", UNKNOWN, PASSING, no_answer=True),
    Known("EService:Busy", UNKNOWN, PASSING, no_answer=True),
    Known("EService:Timeout", UNKNOWN, PASSING, no_answer=True),
    Known("EService:Deadline elapsed", UNKNOWN, PASSING),
    Known("EService: Throttled: 1700000000", LIMITED, PASSING, "throttled"),
    Known("EService:Throttled: 1700000000", LIMITED, PASSING, "throttled"),
    Known("EService:Market in cancel_only mode", AWAY, STALE, rereads=True),
    Known("EService:Market in post_only mode", AWAY, STALE, rereads=True),
    Known("EService:Market is closed", UNKNOWN, PASSING, rereads=True),
    Known("EOrder:Insufficient funds", REFUSED, LASTING),
    Known("EOrder:Order minimum not met", REFUSED, STALE, rereads=True),
    Known("EOrder:Cost minimum not met", REFUSED, STALE, rereads=True),
    Known("EOrder:Tick size check failed", REFUSED, STALE, rereads=True),
    Known("EOrder:Invalid price", REFUSED, STALE, rereads=True),
    Known("EOrder:Orders limit exceeded", REFUSED, PASSING),
    Known("EOrder:Scheduled orders limit exceeded", REFUSED, PASSING),
    Known("EOrder:Rate limit exceeded", LIMITED, PASSING),
    Known("EOrder:Domain rate limit exceeded", LIMITED, PASSING),
    Known("EOrder:Unknown order", GONE, PASSING),
    Known("EOrder:Invalid order", GONE, LASTING),
    Known("EOrder:Post only order", REFUSED, PASSING),
    Known("EOrder:Cannot open position", REFUSED, MISTAKE),
    Known("EOrder:Cannot open opposing position", REFUSED, MISTAKE),
    Known("EOrder:Margin allowance exceeded", REFUSED, MISTAKE),
    Known("EOrder:Insufficient margin", REFUSED, MISTAKE),
    Known("EOrder:Positions limit exceeded", REFUSED, MISTAKE),
    Known("EOrder:Unknown position", REFUSED, MISTAKE),
    Known("EOrder:Reduce only order", REFUSED, MISTAKE),
    Known("EQuery:Unknown asset pair", REFUSED, STALE, rereads=True),
    Known("EQuery:Invalid asset pair", REFUSED, STALE, rereads=True),
    Known("EAccount:Invalid permissions:USDT trading restricted", REFUSED, LASTING),
    Known("EAuth:Account temporary disabled", KEY, LASTING, "account"),
    Known("EAuth:Rate limit exceeded", LIMITED, PASSING, "account"),
    Known("EAuth:Too many requests", LIMITED, PASSING, "account"),
    Known("ETrade:Invalid request", REFUSED, MISTAKE),
    Known("EBM:limit exceeded:CAL", LIMITED, PASSING),
    Known("ESession:Invalid session", KEY, PASSING, "credentials"),
    Known("EFunding:Unknown withdraw key", REFUSED, LASTING),
    Known("ENewCategory:never seen before", UNKNOWN, PASSING),
    Known("HTTP ban 1015, status 429", NOT_IN_AN_ANSWER, PASSING, "address_ban"),
    Known("HTTP status 429", NOT_IN_AN_ANSWER, PASSING, "address_throttled", no_answer=True),
    Known("Insufficient funds", NOT_IN_AN_ANSWER, LASTING),
    Known("symbol was 'A/B', which is no USD spot pair", NOT_IN_AN_ANSWER, STALE),
    Known("Currency pair not supported A/B", NOT_IN_AN_ANSWER, PASSING, rereads=True),
    Known("Currency pair not in ISO 4217-A3 format A/B", NOT_IN_AN_ANSWER, PASSING, rereads=True),
)
