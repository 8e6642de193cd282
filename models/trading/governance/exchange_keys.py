"""What makes an exchange key fit for trading, and when it is old."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from models.trading.governance.going_live import FORBIDDEN_PERMISSIONS, NEEDED_PERMISSIONS

SECRET_BYTES: Final = 64
"""Of a private key: HMAC-SHA-512 takes as many."""
KEY_LIFE: Final = timedelta(days=90)
"""After this a key is to be rotated: people are reminded."""
REMINDER_EVERY: Final = timedelta(days=7)
IN_USE, REPLACED, REMOVED = "in_use", "replaced", "removed"
VALID: Final = "ok"


@dataclass(frozen=True, slots=True)
class KeyJudgement:
    """Whether a key is fit: a stable code, ``ok`` if it is, and one line for people."""

    code: str
    reason: str

    @property
    def is_fit(self) -> bool:
        """Tell whether the key may be used."""
        return self.code == VALID


def judge_permissions(permissions: frozenset[str]) -> KeyJudgement:
    """Refuse a key that may take money away, and one that cannot do what trading needs."""
    beyond = ", ".join(sorted(FORBIDDEN_PERMISSIONS & permissions))
    if beyond:
        return KeyJudgement(
            "key-may-withdraw", f"The key has a right that it must not have: {beyond}."
        )
    missing = ", ".join(sorted(NEEDED_PERMISSIONS - permissions))
    if missing:
        return KeyJudgement("key-lacks-rights", f"The key lacks rights: {missing}.")
    return KeyJudgement(VALID, "The key has the rights that trading needs, and none to withdraw.")


def is_private_key(text: str) -> bool:
    """Tell whether a text has the shape of a private key: base64 of 64 bytes."""
    try:
        return len(b64decode(text, validate=True)) == SECRET_BYTES
    except (binascii.Error, ValueError):
        return False


def age(stored_at: datetime, now: datetime) -> timedelta:
    """Return how long a key has been stored, at least zero: clocks step back."""
    return max(now - stored_at, timedelta(0))


def is_due(stored_at: datetime, now: datetime) -> bool:
    """Tell whether a key is old enough to be rotated."""
    return age(stored_at, now) >= KEY_LIFE


def reminder_is_due(stored_at: datetime, reminded_at: datetime | None, now: datetime) -> bool:
    """Tell whether people are to be reminded of a key now: once a week, as long as it is old."""
    if not is_due(stored_at, now):
        return False
    return reminded_at is None or now - reminded_at >= REMINDER_EVERY
