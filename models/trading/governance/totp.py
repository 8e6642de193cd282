"""One-time codes: HOTP (RFC 4226) and TOTP (RFC 6238) with each time step accepted once."""

import hmac
from datetime import datetime
from hashlib import sha1
from typing import Any, Final

STEP_SECONDS: Final = 30
DIGITS: Final = 6
SECRET_BYTES: Final = 20
"""160 bits, as RFC 4226 (4, R6) recommends."""
DRIFT_STEPS: Final = 1
"""Steps by which a clock may differ, to either side (RFC 6238, 5.2)."""


def code_at(secret: bytes, counter: int, *, digits: int = DIGITS, algorithm: Any = sha1) -> str:
    """Return the code for a counter (RFC 4226, 5.3); for TOTP the counter is the time step."""
    digest = hmac.new(secret, counter.to_bytes(8, "big"), algorithm).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def time_step(now: datetime) -> int:
    """Return the time step that a moment falls into."""
    return int(now.timestamp()) // STEP_SECONDS


def accepted_step(secret: bytes, code: str, now: datetime, last: int | None) -> int | None:
    """Return the time step that a code belongs to, None when it is refused.

    Args:
        secret: shared with the authenticator.
        code: six digits as typed.
        now: protocol time.
        last: the last accepted step; it and all earlier ones are refused.
    """
    step, found = time_step(now), None
    for candidate in range(step - DRIFT_STEPS, step + DRIFT_STEPS + 1):
        right = hmac.compare_digest(code_at(secret, candidate).encode(), code.encode())
        if right and (last is None or candidate > last):
            found = candidate
    return found
