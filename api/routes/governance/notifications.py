"""Notifications: what people are told, who has seen it, and what Prometheus finds."""

import hashlib
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from api.access.admission import allowed
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, connected, run_once
from api.http.problems import ProblemError, engine_unavailable
from api.messages.bodies import PageSize
from api.messages.notifications import (
    Acknowledge,
    Alert,
    Alerts,
    DeliveryView,
    KindStatus,
    NotificationId,
    NotificationPage,
    NotificationStatus,
    NotificationStory,
    NotificationView,
    Posted,
    PostNotice,
)
from api.messages.schemas import Answered
from api.queries import notifications as queries
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.trading.governance.notifications.notice import Notice, Severity, incident_key
from models.trading.governance.notifications.routing import ChannelKind
from models.trading.governance.rights import Action

router = APIRouter(
    prefix="/notifications", tags=["notifications"], dependencies=[Depends(authenticate)]
)

log = structlog.get_logger(__name__)

WATCHING = "AetherWatching"
"""Always fires, so that its silence is noticed elsewhere; nobody is told of it."""
SEVERITIES = {
    "page": Severity.CRITICAL,
    "critical": Severity.CRITICAL,
    "ticket": Severity.WARNING,
    "warning": Severity.WARNING,
}
TITLE_LENGTH, DETAIL_LENGTH = 160, 1_000
DAY = timedelta(days=1)


@router.get("")
async def list_notifications(
    request: Request,
    caller: Caller,
    *,
    only_open: bool = False,
    cursor: Annotated[str, Query(max_length=400)] = "",
    limit: PageSize = 100,
) -> NotificationPage:
    """List notifications, newest first; open ones are neither acknowledged nor over."""
    reader = await _reader(request, caller.name)
    try:
        rows, following = await queries.notifications(
            services_of(request).database, reader, cursor, limit, only_open=only_open
        )
    except queries.CursorError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-cursor", str(error)) from None
    found = [NotificationView.model_validate(row) for row in rows]
    return NotificationPage(notifications=found, following=following)


@router.get("/status")
async def get_notification_status(request: Request) -> NotificationStatus:
    """Tell whether people are reached: each kind of channel, failures of the day, what waits."""
    services = services_of(request)
    rows = {
        row.kind: row for row in await queries.kinds(services.database, datetime.now(UTC) - DAY)
    }
    missing = services.notifications.missing_kinds()
    standing = await queries.standing(services.database)
    kinds = []
    for kind in ChannelKind:
        row = rows.get(kind.value)
        figures = (row.channels, row.sent, row.failed, row.last_failure) if row else (0, 0, 0, "")
        kinds.append(
            KindStatus(
                kind=kind,
                missing=missing.get(kind, ""),
                channels=figures[0],
                sent=figures[1],
                failed=figures[2],
                last_failure=figures[3],
            )
        )
    return NotificationStatus(
        kinds=kinds,
        open=standing.open,
        unacknowledged=standing.unacknowledged,
        backlog=standing.backlog,
        oldest_waiting=standing.oldest_waiting,
    )


@router.get("/{notification}")
async def get_notification(
    request: Request, notification: NotificationId, caller: Caller
) -> NotificationStory:
    """Return a notification with its messages and how they fared."""
    services = services_of(request)
    row = await _found(request, notification, caller.name)
    sent = await queries.deliveries(services.database, notification)
    shown = NotificationView.model_validate(row).model_dump()
    return NotificationStory(**shown, deliveries=[DeliveryView.model_validate(one) for one in sent])


@router.post("/{notification}/acknowledge", response_model=Answered)
async def acknowledge_notification(
    request: Request,
    notification: NotificationId,
    body: Acknowledge,
    caller: Caller,
    key: IdempotencyKey,
) -> JSONResponse:
    """Say that somebody has seen it: nobody is reminded any more.

    It stands in the record before this answers, also while the workflow engine is down: the record
    is read before each reminder.
    """
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        row = await _found(request, notification, caller.name)
        await services.notifications.acknowledge(notification, caller.name, datetime.now(UTC))
        try:
            await services.notifications.signal_acknowledged(
                connected(services), row.key, notification
            )
        except (ConnectionError, ProblemError) as error:
            log.warning("a workflow was not told of an acknowledgement", error=str(error))
        answer = Answered(code="accepted", detail="The notification is acknowledged.")
        return int(HTTPStatus.OK), answer.model_dump(mode="json")

    return await run_once(services, command, act)


@router.post("", status_code=HTTPStatus.ACCEPTED, response_model=Posted)
async def post_notification(
    request: Request, body: PostNotice, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Tell people something, by the same ways as everything else: also a test of them."""
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> Response:
        identity = hashlib.sha256(command.request_id.encode()).hexdigest()[:32]
        notice = Notice(
            occurrence=f"posted.{identity}",
            key=incident_key("posted", identity),
            event=body.event,
            severity=body.severity,
            scope=PLATFORM_SCOPE,
            title=body.title,
            detail=_plain(f"by {caller.name}: {body.detail}")[:DETAIL_LENGTH],
            runbook="",
            at=datetime.now(UTC),
        )
        await begin(services, notice)
        return int(HTTPStatus.ACCEPTED), Posted(notices=1).model_dump()

    return await run_once(services, command, act)


@router.post("/alertmanager", status_code=HTTPStatus.ACCEPTED)
async def receive_alerts(request: Request, body: Alerts) -> Posted:
    """Take what Alertmanager's webhook sends; a repeat of the same alert counts once.

    Its caller is a token with the scope ``notification.post`` and nothing else.
    """
    services = services_of(request)
    accounts = set(await services.database.accounts())
    told = [
        alert_notice(alert, accounts)
        for alert in body.alerts
        if alert.labels.get("alertname") != WATCHING
    ]
    for notice in told:
        await begin(services, notice)
    return Posted(notices=len(told))


def alert_notice(alert: Alert, accounts: set[str]) -> Notice:
    """Return what an alert of Prometheus tells people."""
    name = alert.labels.get("alertname", "alert")[:64]
    account = alert.labels.get("account", "")
    severity = SEVERITIES.get(alert.labels.get("severity", ""), Severity.INFORMATION)
    over = alert.status == "resolved"
    begun = f"alert.{alert.fingerprint}.{int(alert.startsAt.timestamp() * 1000)}"
    labels = [f"{label}: {value}" for label, value in sorted(alert.labels.items())]
    title = alert.annotations.get("summary") or name
    return Notice(
        occurrence=f"{begun}.over" if over else begun,
        key=incident_key("alert", name, alert.fingerprint),
        event=name,
        severity=severity,
        scope=account if account in accounts else PLATFORM_SCOPE,
        title=_plain(title)[:TITLE_LENGTH],
        detail=_plain("; ".join(labels))[:DETAIL_LENGTH],
        runbook=_plain(alert.annotations.get("runbook", ""))[:200],
        at=(alert.endsAt or alert.startsAt) if over else alert.startsAt,
        resolves=over,
    )


async def begin(services: Services, notice: Notice) -> None:
    """Begin a notification.

    Raises:
        ProblemError: 503, the workflow engine does not answer.
    """
    try:
        await services.notifications.begin(connected(services), notice)
    except ConnectionError:
        raise engine_unavailable() from None


async def _reader(request: Request, name: str) -> queries.Reader:
    accounts = await services_of(request).database.accounts()
    readable = await allowed(request, Action.ACCOUNT_READ, accounts)
    return queries.Reader((*readable, PLATFORM_SCOPE), name.removeprefix("user/"))


async def _found(request: Request, notification: str, name: str) -> Any:
    reader = await _reader(request, name)
    row = await queries.notification(services_of(request).database, reader, notification)
    if row is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "unknown-notification", "No such notification.", lasting=False
        )
    return row


def _plain(words: str) -> str:
    """Return words as one line without control characters."""
    shown = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(shown.split())
