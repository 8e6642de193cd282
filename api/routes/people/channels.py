"""How people are told: their own channels and quiet hours."""

import hashlib
import re
from datetime import UTC, datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from activities.ports.notifications import DeliveryRefusedError
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError
from api.messages.notifications import (
    AddChannel,
    AddedChannel,
    ChannelId,
    Channels,
    ChannelView,
    EventChoice,
    QuietHoursView,
    SetQuietHours,
)
from api.messages.people import Done
from api.queries import notifications as queries
from api.routes.governance.notifications import begin
from api.services import Principal, Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.trading.governance.notifications.events import RECORD_EVENTS
from models.trading.governance.notifications.notice import Notice, Severity, incident_key
from models.trading.governance.notifications.routing import ChannelKind

router = APIRouter(prefix="/me/channels", tags=["me"], dependencies=[Depends(authenticate)])

CHANNELS_MAXIMUM = 20
_SHAPES = {
    ChannelKind.EMAIL: re.compile(r"[^@<>()\[\],;:\"\\]{1,64}@[A-Za-z0-9.-]{1,253}"),
    ChannelKind.SMS: re.compile(r"\+[1-9][0-9]{6,14}"),
    ChannelKind.WEBHOOK: re.compile(r"https?://.{1,490}"),
    ChannelKind.CHAT: re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64}"),
}


@router.get("")
async def get_channels(request: Request, caller: Caller) -> Channels:
    """Return how the caller is told, the kinds that are not set up, and the events to choose."""
    services, user = services_of(request), _user(caller)
    quiet = await queries.quiet_hours(services.database, user)
    rows = await queries.own_channels(services.database, user)
    return Channels(
        channels=[ChannelView.model_validate(row) for row in rows],
        quiet_hours=None if quiet is None else QuietHoursView.model_validate(quiet),
        unavailable={
            kind.value: why for kind, why in services.notifications.missing_kinds().items()
        },
        events=[
            EventChoice(event=event.action, severity=event.severity, title=event.title)
            for event in RECORD_EVENTS
        ],
    )


@router.post("", status_code=HTTPStatus.CREATED)
async def add_channel(
    request: Request, body: AddChannel, caller: Caller, key: IdempotencyKey
) -> AddedChannel:
    """Add a way to reach the caller; a webhook's key is shown in this answer only.

    The same Idempotency-Key adds the same channel, once.
    """
    services, user = services_of(request), _user(caller)
    _check_address(services, body)
    if len(await queries.own_channels(services.database, user)) >= CHANNELS_MAXIMUM:
        raise _refused("too-many-channels", f"{CHANNELS_MAXIMUM} channels are enough.")
    channel = hashlib.sha256(f"{user}/{key}".encode()).hexdigest()[:20]
    shown = await services.notifications.add_channel(
        channel,
        user,
        body.kind,
        body.label,
        body.address,
        body.minimum.value,
        tuple(dict.fromkeys(body.events)),
        datetime.now(UTC),
    )
    return AddedChannel(channel_id=channel, webhook_key=shown)


@router.delete("/{channel}")
async def remove_channel(request: Request, channel: ChannelId, caller: Caller) -> Done:
    """Remove one of the caller's channels; messages under way do not go over it any more."""
    removed = await services_of(request).notifications.remove_channel(
        _user(caller), channel, datetime.now(UTC)
    )
    if not removed:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "unknown-channel", "No such channel.", lasting=False
        )
    return Done()


@router.post("/try", status_code=HTTPStatus.ACCEPTED, response_model=Done)
async def try_channel(request: Request, caller: Caller, key: IdempotencyKey) -> JSONResponse:
    """Send a message to all of the caller's channels, to see whether they work."""
    services, user = services_of(request), _user(caller)
    command = command_of(request, PLATFORM_SCOPE, key, caller, None)

    async def act() -> Response:
        identity = hashlib.sha256(command.request_id.encode()).hexdigest()[:32]
        notice = Notice(
            occurrence=f"test.{identity}",
            key=incident_key("test", identity),
            event="test",
            severity=Severity.INFORMATION,
            scope=PLATFORM_SCOPE,
            title="A test of your channels",
            detail="Somebody who is signed in as you asked for it.",
            runbook="",
            at=datetime.now(UTC),
            recipients=(user,),
        )
        await begin(services, notice)
        return int(HTTPStatus.ACCEPTED), Done().model_dump()

    return await run_once(services, command, act)


@router.put("/quiet-hours")
async def set_quiet_hours(request: Request, body: SetQuietHours, caller: Caller) -> Done:
    """Set the hours in which only what is critical is told; equal ones: there are none."""
    try:
        ZoneInfo(body.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _refused("unknown-zone", "There is no such time zone.") from None
    await services_of(request).notifications.set_quiet_hours(
        _user(caller),
        body.begins,
        body.ends,
        body.zone,
        datetime.now(UTC),
    )
    return Done()


def _check_address(services: Services, body: AddChannel) -> None:
    missing = services.notifications.missing_kinds().get(body.kind)
    if missing:
        raise ProblemError(
            HTTPStatus.CONFLICT, "channel-unavailable", f"Not set up: {missing}.", lasting=False
        )
    if not _SHAPES[body.kind].fullmatch(body.address):
        raise _refused("invalid-address", f"This is no address of the kind {body.kind.value}.")
    if body.kind is ChannelKind.WEBHOOK:
        try:
            services.notifications.check_webhook(body.address)
        except DeliveryRefusedError as error:
            raise _refused("invalid-address", f"{error}.") from None


def _refused(code: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, code, detail, lasting=False)


def _user(caller: Principal) -> str:
    assert caller.session is not None  # the rights of these routes let nobody else in
    return caller.session.user_id
