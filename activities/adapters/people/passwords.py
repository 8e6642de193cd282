"""Password hashes: Argon2id for new ones; bcrypt and PBKDF2 verified within bounds and replaced.

A hash that comes from elsewhere says how much work it takes. What would take more than the bounds
here is refused before any work is done.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets  # noqa: TID251 - secrets are made here
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from models.trading.governance.passwords import content_problem, length_problem, normalized

if TYPE_CHECKING:
    from argon2 import PasswordHasher

AT_ONCE: Final = 2
"""Hashes computed at once: each takes 64 MiB, and more would only share the same cores."""
ARGON2_MEMORY_KIB: Final = 262_144
ARGON2_PASSES: Final = 10
ARGON2_LANES: Final = 16
BCRYPT_COST: Final = 14
BCRYPT_BYTES: Final = 72
"""What bcrypt looks at of a password; the rest never counted in such a hash."""
PBKDF2_ROUNDS: Final = 2_000_000
ESTIMATED: Final = 72
"""Characters that are looked at for what is common: the time grows with their square."""

_ARGON2 = re.compile(r"\$argon2(id|i|d)\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$[^$]+\$[^$]+")
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_PBKDF2 = (
    # Django, passlib, Werkzeug.
    re.compile(r"pbkdf2_(?P<name>sha1|sha256|sha512)\$(?P<rounds>\d{1,7})\$(?P<salt>[^$]+)\$(?P<hash>[^$]+)"),
    re.compile(r"\$pbkdf2(-(?P<name>sha256|sha512))?\$(?P<rounds>\d{1,7})\$(?P<salt64>[^$]+)\$(?P<hash64>[^$]+)"),
    re.compile(r"pbkdf2:(?P<name>sha1|sha256|sha512):(?P<rounds>\d{1,7})\$(?P<salt>[^$]+)\$(?P<hex>[0-9a-f]+)"),
)  # fmt: skip


class HashFormatError(ValueError):
    """A password hash is of a kind that is not known, or asks for more work than is done."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a password was right; ``upgraded`` is its hash as it is made today, if it is not."""

    right: bool
    upgraded: str | None = None


class Passwords:
    """Hashes and verifies, at most ``AT_ONCE`` at a time, away from the event loop."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(AT_ONCE)

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher
        from argon2.profiles import RFC_9106_LOW_MEMORY

        return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

    @cached_property
    def _nobody(self) -> str:
        """Return a hash that takes the same work for a name that nobody has."""
        return self._hasher.hash(secrets.token_urlsafe(32))

    async def hash(self, password: str) -> str:
        """Return the Argon2id hash of a password (RFC 9106, second recommended option)."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, normalized(password))

    async def verify(self, stored: str | None, password: str) -> Verified:
        """Tell whether a password is the one of a stored hash.

        None stands for nobody, which takes as long and is never right.
        """
        if len(password) > 4 * 128:  # no password that was ever accepted
            password, stored = "", None
        async with self._slots:
            return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> Verified:
        from argon2.exceptions import Argon2Error

        given = normalized(password)
        if stored is None:
            self._verify_argon2(self._nobody, given)
            return Verified(right=False)
        if _ARGON2.fullmatch(stored):
            if not self._verify_argon2(stored, given):
                return Verified(right=False)
            try:
                stale = self._hasher.check_needs_rehash(stored)
            except Argon2Error:
                stale = True
            return Verified(right=True, upgraded=self._hasher.hash(given) if stale else None)
        if not verify_older(stored, password):
            return Verified(right=False)
        return Verified(right=True, upgraded=self._hasher.hash(given))

    def _verify_argon2(self, stored: str, given: str) -> bool:
        from argon2.exceptions import Argon2Error, InvalidHashError

        try:
            return bool(self._hasher.verify(stored, given))
        except (Argon2Error, InvalidHashError):
            return False


def check_format(stored: str) -> None:
    """Accept a hash that can be verified within bounds.

    Raises:
        HashFormatError: it cannot.
    """
    argon2 = _ARGON2.fullmatch(stored)
    if argon2:
        memory, passes, lanes = (int(argon2[group]) for group in (2, 3, 4))
        if memory > ARGON2_MEMORY_KIB or not 1 <= passes <= ARGON2_PASSES or lanes > ARGON2_LANES:
            raise HashFormatError("the Argon2 hash asks for more memory, passes or lanes than fits")
        return
    bcrypt = _BCRYPT.fullmatch(stored)
    if bcrypt:
        if int(bcrypt[1]) > BCRYPT_COST:
            raise HashFormatError(f"the bcrypt hash has a cost above {BCRYPT_COST}")
        return
    found = _pbkdf2(stored)
    if found is None:
        raise HashFormatError("a hash is Argon2id, bcrypt or PBKDF2, in the form of its library")
    if not 1 <= int(found["rounds"]) <= PBKDF2_ROUNDS:
        raise HashFormatError(f"the PBKDF2 hash has more than {PBKDF2_ROUNDS} rounds")


def verify_older(stored: str, password: str) -> bool:
    """Tell whether a password is the one of a bcrypt or PBKDF2 hash; False beyond the bounds."""
    try:
        check_format(stored)
    except HashFormatError:
        return False
    if _BCRYPT.fullmatch(stored):
        import bcrypt

        return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], stored.encode())
    found = _pbkdf2(stored)
    if found is None:
        return False
    name = found.get("name") or "sha1"
    try:
        salt, expected = _salt_and_hash(found)
    except (binascii.Error, ValueError):
        return False
    made = hashlib.pbkdf2_hmac(name, password.encode(), salt, int(found["rounds"]), len(expected))
    return bool(expected) and hmac.compare_digest(made, expected)


def _salt_and_hash(found: dict[str, str]) -> tuple[bytes, bytes]:
    if found.get("hex"):
        return found["salt"].encode(), bytes.fromhex(found["hex"])
    if found.get("hash64"):
        return _ab64(found["salt64"]), _ab64(found["hash64"])
    return found["salt"].encode(), base64.b64decode(found["hash"], validate=True)


def _pbkdf2(stored: str) -> dict[str, str] | None:
    for form in _PBKDF2:
        found = form.fullmatch(stored)
        if found:
            return {key: value for key, value in found.groupdict().items() if value is not None}
    return None


def _ab64(text: str) -> bytes:
    # passlib's base64: "." instead of "+", and no padding.
    return base64.b64decode(text.replace(".", "+") + "=" * (-len(text) % 4), validate=True)


async def password_problem(password: str, words: Sequence[str]) -> str | None:
    """Return why a new password is not accepted, None if it is.

    Common passwords and words are those of zxcvbn's lists, which are a part of that package.
    """
    problem = length_problem(password)
    if problem is not None:
        return problem
    return content_problem(password, await asyncio.to_thread(_guesses, password, words), words)


def _guesses(password: str, words: Sequence[str]) -> float:
    from zxcvbn import zxcvbn

    return float(zxcvbn(normalized(password)[:ESTIMATED], user_inputs=list(words))["guesses"])
