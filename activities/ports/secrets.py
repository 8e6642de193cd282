"""Exchange keys: where they lie, what the record knows of them, and who tells what they may do."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from models.trading.risk.limits import Mode


@dataclass(frozen=True, slots=True)
class Credentials:
    """An exchange key. ``repr`` never shows the secret."""

    key: str
    secret: str

    def __repr__(self) -> str:
        return f"Credentials(key=…{self.key[-4:]}, secret=hidden)"


class Secrets(Protocol):
    """Where credentials live; never in a payload, log or answer."""

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        """Return the account's key for a mode, None when there is none."""
        ...


def key_fingerprint(key: str) -> str:
    """Return a digest that names a key in the record without telling it."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class KeptKey:
    """What the record knows of a key; the key itself is in the store of secrets only."""

    account: str
    mode: Mode
    number: int
    fingerprint: str
    ending: str
    state: str
    stored_at: datetime
    stored_by: str
    ended_at: datetime | None
    permissions: frozenset[str]
    validated_at: datetime
    validation: str
    trading_since: datetime | None
    reminded_at: datetime | None

    def is_of(self, key: str) -> bool:
        """Tell whether this is the record of a key."""
        return self.fingerprint == key_fingerprint(key)


class NotApprovedError(Exception):
    """Nobody else has agreed to what takes two people."""


class KeyStore(Protocol):
    """Where keys are put. Raises ExchangeError when the store cannot be used."""

    async def exchange_credentials(self, account: str, mode: Mode) -> Credentials | None:
        """Return the account's key for a mode, None when there is none."""
        ...

    async def put(self, account: str, mode: Mode, credentials: Credentials) -> None:
        """Store an account's key for a mode in place of the one before."""
        ...

    async def remove(self, account: str, mode: Mode) -> None:
        """Forget an account's key for a mode."""
        ...


class KeyValidator(Protocol):
    """Asks the exchange what a key may do; with a request that changes nothing."""

    async def permissions_of(self, credentials: Credentials, mode: Mode) -> frozenset[str]:
        """Return what a key may do.

        Raises:
            CredentialsError: the exchange does not know the key, or the signature is wrong.
            KeyInUseError: another process uses it; its nonces must not be raced.
            ExchangeError: no answer that tells.
        """
        ...


class KeyRecord(Protocol):
    """The part of the record that knows of keys."""

    async def keys(self, account: str) -> list[KeptKey]:
        """Return all keys of an account, newest first."""
        ...

    async def store(
        self,
        account: str,
        mode: Mode,
        key: str,
        permissions: frozenset[str],
        by: str,
        at: datetime,
        put: Callable[[], Awaitable[None]],
        approval: str | None = None,
    ) -> KeptKey:
        """Write that a key is in use from now on, audited; ``put`` is done before it counts.

        ``approval`` names that of another person, which an account that trades live needs, once.

        Raises:
            KeyTakenError: the key is, or was, another account's.
            NotApprovedError: it needs an approval that does not stand.
        """
        ...

    async def end(
        self, account: str, mode: Mode, by: str, at: datetime, put: Callable[[], Awaitable[None]]
    ) -> KeptKey | None:
        """Write that the key in use is removed, audited; None when there is none."""
        ...

    async def validated(
        self,
        key: KeptKey,
        permissions: frozenset[str] | None,
        validation: str,
        by: str,
        at: datetime,
    ) -> KeptKey:
        """Write what a validation found; it is audited where it found something else than before.

        ``permissions`` None: they could not be read, and what was known stays.
        """
        ...
