"""Calling the owner's functions on people, and what they refuse."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import text

from infra.runtime.database.connections import Database

NOT_ALLOWED, IMPOSSIBLE = "AE003", "AE004"


class NotAllowedError(Exception):
    """The session that was shown does not allow this, whatever the caller thought."""


class ImpossibleError(Exception):
    """What was asked for would leave nobody who could undo it."""


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the refusals of the owner's functions into errors of their own."""
    try:
        yield
    except psycopg.Error as error:
        message = error.diag.message_primary or str(error)
        if error.sqlstate == NOT_ALLOWED:
            raise NotAllowedError(message) from error
        if error.sqlstate == IMPOSSIBLE:
            raise ImpossibleError(message) from error
        raise


async def value_of(database: Database, call: str, values: Mapping[str, Any] | None = None) -> Any:
    """Return what one function of the owner returns.

    Raises:
        NotAllowedError: the session does not allow it.
        ImpossibleError: nobody could undo it.
    """
    with refusals():
        return (await database.call(text(f"SELECT {call}"), values))[0][0]
