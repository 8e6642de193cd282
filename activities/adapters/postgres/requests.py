"""Answered requests by their idempotency key, per account (or ``platform``)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import text

from infra.runtime.database.connections import Database
from models.tables import RequestRow

_BEGIN = text(
    """INSERT INTO requests (account_id, idempotency_key, body_hash, created_at)
       VALUES (:scope, :key, :hash, :at) ON CONFLICT DO NOTHING RETURNING idempotency_key"""
)
_KNOWN = text(
    """SELECT body_hash, status, response FROM requests
       WHERE account_id = :scope AND idempotency_key = :key"""
)
_FINISH = text(
    """UPDATE requests SET status = :status, response = :response, answered_at = :at
       WHERE account_id = :scope AND idempotency_key = :key AND status IS NULL"""
)


class RequestState(StrEnum):
    """What is known of a request when it comes in."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    OTHER_BODY = "other_body"


@dataclass(frozen=True, slots=True)
class KnownRequest:
    """A request as the record knows it; status and response are set when it was answered.

    ``in_progress`` may be a request whose process died: it may be carried out again under the same
    key, because everything behind it is idempotent by that key.
    """

    state: RequestState
    status: int | None = None
    response: dict[str, Any] | None = None


class PostgresRequests:
    """Remember requests and their answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, scope: str, key: str, body_hash: str, at: datetime) -> KnownRequest:
        """Note a request, or return what is known of it.

        The note does not wait for the disk, because the workflow deduplicates by the same key: when
        a crash of the server forgets it, the same request is answered as before. What is settled or
        finished later is on disk, and the note before it.
        """
        values = {"scope": scope, "key": key, "hash": body_hash, "at": at}
        async with self._database.light_scope(scope, wait_for_disk=False) as session:
            if await session.sql(_BEGIN, values):
                return KnownRequest(RequestState.NEW)
            (row,) = await session.sql(_KNOWN, values)
        if row.body_hash != body_hash:
            return KnownRequest(RequestState.OTHER_BODY)
        if row.status is None:
            return KnownRequest(RequestState.IN_PROGRESS)
        return KnownRequest(RequestState.ANSWERED, row.status, row.response)

    async def settle(self, scope: str, key: str, choice: dict[str, Any]) -> dict[str, Any]:
        """Keep what must be the same when the request is carried out again; the first stands.

        For what a workflow does not deduplicate, for example the number of a new engagement.
        """
        async with self._database.account_scope(scope) as session:
            row = await session.get_one(RequestRow, (scope, key), with_for_update=True)
            if row.response is None:
                row.response = choice
            return row.response

    async def finish(
        self, scope: str, key: str, status: int, response: dict[str, Any], at: datetime
    ) -> KnownRequest:
        """Keep the answer and return the one that stands, which is the first."""
        answer = {"status": status, "response": Jsonb(response), "at": at}
        values = {"scope": scope, "key": key} | answer
        async with self._database.light_scope(scope) as session:
            await session.sql(_FINISH, values)
            known = await session.sql(_KNOWN, values)
        for row in known:
            return KnownRequest(RequestState.ANSWERED, row.status, row.response)
        return KnownRequest(RequestState.ANSWERED, status, response)  # the note was forgotten
