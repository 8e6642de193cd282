"""The stream of live data: one for each browser, resumable by the last id that it has seen."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from activities.adapters.postgres.installation import find_token
from api.access.callers import still_counts
from api.http.authentication import Caller, authenticate
from api.live.cursor import read_cursor
from api.live.stream import Message, RecordStream
from api.services import Principal, Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.trading.governance.rights import Action, CallerKind, judge

router = APIRouter(prefix="/events", tags=["events"], dependencies=[Depends(authenticate)])

After = Annotated[
    str | None, Query(max_length=3500, description="The last id seen; as Last-Event-ID says it.")
]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=16_000)]


def as_event(message: Message) -> ServerSentEvent:
    """Return a message as it is sent. It always has data: browsers pass over an event without."""
    data = {} if message.data is None else message.data
    return ServerSentEvent(data=data, event=message.kind, id=message.id)


@router.get("", response_class=EventSourceResponse)
async def follow_events(
    request: Request, caller: Caller, *, after: After = None, last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Follow the record: which account's which thing has changed, in the order of commits.

    Events: ``record`` (with an id to resume from), ``overview``, ``heartbeat`` every five seconds,
    ``resync`` where what was missed cannot be told one by one, ``caught-up``, ``session-ended``.
    """
    services = services_of(request)
    hub = services.live()
    told = last_event_id or after
    stream = RecordStream(
        hub.events,
        None if told is None else read_cursor(told),
        stands=_session_check(request, services),
        sees=lambda account: (
            account == PLATFORM_SCOPE or judge(caller.rights, Action.ACCOUNT_READ, account) is None
        ),
    )
    await hub.join(stream)
    try:
        async for message in stream.messages():
            yield as_event(message)
    finally:
        hub.leave(stream)


def _session_check(request: Request, services: Services) -> Callable[[], Awaitable[bool]]:
    """Return what tells whether the caller may still read: asked of the record, not of memory."""
    caller: Principal = request.state.caller

    async def stands() -> bool:
        if caller.rights.kind is not CallerKind.MACHINE:
            return await still_counts(services, caller)
        holder = await find_token(services.database, caller.credential)
        return holder is not None and holder.expires_at > datetime.now(UTC)

    return stands
