"""Messages around the hedge of an account."""

from dataclasses import dataclass

from models.trading.account.hedge.facts import HedgeRecord, HedgeReviewDue


@dataclass(frozen=True, slots=True)
class HedgeInput:
    """What an account's hedge starts from; ``reviews`` counts those asked for so far."""

    account: str
    reviews: int = 0


@dataclass(frozen=True, slots=True)
class HedgeToReview:
    """A review to be made; ``run`` and ``number`` name it, ``cause`` says why now."""

    account: str
    run: str
    number: int
    cause: str


@dataclass(frozen=True, slots=True)
class HedgeToWake:
    """A hedge that shall look again now."""

    account: str
    due: HedgeReviewDue


@dataclass(frozen=True, slots=True)
class HedgeToRecord:
    """What a review found and did, for the record."""

    account: str
    record: HedgeRecord


__all__ = ["HedgeInput", "HedgeRecord", "HedgeToRecord", "HedgeToReview", "HedgeToWake"]
