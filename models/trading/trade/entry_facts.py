"""What a trade asks for, and is told, about the price of its resting entry."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AmendEntry:
    """Change the limit of the resting entry in place; answered by one of the facts below.

    The order keeps its ids and its fills, so that an entry is never sent twice. Without
    ``post_only`` it may take what lies within the limit (Kraken: AmendOrder, kraken-protocol §8.2).
    """

    order_id: str
    limit_price: Decimal
    post_only: bool


@dataclass(frozen=True, slots=True)
class EntryAmended:
    """The exchange took a new limit for the entry. ``at`` is protocol time."""

    order_id: str
    limit_price: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class EntryAmendRefused:
    """The exchange refused it; the entry rests as before, or is gone (``order_is_gone``)."""

    order_id: str
    reason: str
    order_is_gone: bool
    at: datetime
