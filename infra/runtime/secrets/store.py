"""The port of secrets: small documents by name, written by check-and-set, and typed states."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from infra.runtime.errors import StateError

Content = Mapping[str, str]
NEW = ""
"""The version of a document that is not there yet."""


class SecretsState(StrEnum):
    """What a store of secrets is in."""

    READY = "ready"
    SEALED = "sealed"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    DAMAGED = "damaged"
    MISSING = "missing"


class SecretsError(StateError):
    """A store cannot do what it is asked for; ``state`` says why in one word."""

    state = SecretsState.DAMAGED


class SecretsSealedError(SecretsError):
    """The server runs but was not unsealed."""

    state = SecretsState.SEALED


class SecretsUnreachableError(SecretsError):
    """Nobody answers, or nothing that makes sense."""

    state = SecretsState.UNREACHABLE


class SecretsExpiredError(SecretsError):
    """The credentials by which this process enters the store are refused or have expired."""

    state = SecretsState.EXPIRED


class SecretsDamagedError(SecretsError):
    """What is stored cannot be read: altered, under another key, or open to other users."""

    state = SecretsState.DAMAGED


class SecretsMissingError(SecretsError):
    """The store, or what it must hold, is not there."""

    state = SecretsState.MISSING


class SecretsConflictError(SecretsError):
    """The document has another version than the writer has seen."""

    state = SecretsState.READY


class SecretsReadOnlyError(SecretsError):
    """Documents are written elsewhere, not by this process."""

    state = SecretsState.READY


@dataclass(frozen=True, slots=True)
class Document:
    """A secret as stored. ``repr`` never shows its content."""

    name: str
    version: str
    content: Content = field(repr=False)


class SecretStore(Protocol):
    """Where secrets lie. Synchronous: calls are short and seldom; servers call it in threads.

    Names are words divided by ``/``, of letters, digits, ``-`` and ``_``. Every method raises
    ``SecretsError``, whose class says what state the store is in.
    """

    kind: str
    """Name of the backend for people."""
    is_writable: bool

    def read(self, name: str) -> Document | None:
        """Return a document as it is now, None when there is none."""
        ...

    def write(self, name: str, content: Content, version: str) -> str:
        """Store a document if it still has the version, ``NEW`` for none; return the new one.

        Raises:
            SecretsConflictError: it has another version; nothing was changed.
            SecretsReadOnlyError: documents are written elsewhere.
        """
        ...

    def remove(self, name: str) -> None:
        """Forget a document with all its versions; removing nothing is harmless."""
        ...

    def names(self) -> list[str]:
        """Return the names of all documents, in order."""
        ...

    def check(self) -> None:
        """Ask the store whether it can be read now; raise what is wrong."""
        ...
