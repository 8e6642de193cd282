"""Answered requests by their idempotency key, per account (or ``platform``)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from infra.runtime.database import Database
from models.tables import RequestRow


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
        """Note a request, or return what is known of it."""
        new = insert(RequestRow).values(
            account_id=scope, idempotency_key=key, body_hash=body_hash, created_at=at
        )
        async with self._database.account_scope(scope) as session:
            begun = await session.exec(
                new.on_conflict_do_nothing().returning(col(RequestRow.idempotency_key))
            )
            if begun.first() is not None:
                return KnownRequest(RequestState.NEW)
            row = await session.get_one(RequestRow, (scope, key))
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
        async with self._database.account_scope(scope) as session:
            row = await session.get_one(RequestRow, (scope, key), with_for_update=True)
            if row.status is None:
                row.status, row.response, row.answered_at = status, response, at
            return KnownRequest(RequestState.ANSWERED, row.status, row.response)
