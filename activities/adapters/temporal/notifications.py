"""Beginning a notification: the one way in, for the record, Prometheus, reports and tests."""

import asyncio

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.policies import START_TIMEOUT
from models.contracts.people.notifications import (
    ACKNOWLEDGE_SIGNAL,
    NOTIFICATION_QUEUE,
    NOTIFICATION_WORKFLOW,
    OCCURRED_SIGNAL,
    NotificationInput,
    notification_workflow_id,
)
from models.trading.governance.notifications.notice import Notice


class NotificationsUnavailableError(ConnectionError):
    """Temporal does not answer; the same call may be repeated."""


async def begin_notification(client: Client, notice: Notice) -> None:
    """Begin a notification, or count an occurrence in the one that is open; may be repeated.

    Whoever has something to tell makes a ``Notice`` with an id of its own and calls this. It
    returns once Temporal holds it: from then on it is delivered, whatever dies.

    Raises:
        NotificationsUnavailableError: Temporal does not answer.
    """
    try:
        # The client tries a refused connection again for much longer than anybody can wait here.
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            while not (await _started(client, notice) or await _signalled(client, notice)):
                continue  # it has ended in between
    except (TimeoutError, RPCError) as error:
        raise NotificationsUnavailableError(f"Temporal does not answer: {error}") from None


async def _started(client: Client, notice: Notice) -> bool:
    # Not a start with a signal: payloads are bound to what they are sent for.
    try:
        await client.start_workflow(
            NOTIFICATION_WORKFLOW,
            NotificationInput(notice.key, notice),
            id=notification_workflow_id(notice.key),
            task_queue=NOTIFICATION_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        return False
    return True


async def _signalled(client: Client, notice: Notice) -> bool:
    handle = client.get_workflow_handle(notification_workflow_id(notice.key))
    try:
        await handle.signal(OCCURRED_SIGNAL, notice)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def signal_acknowledged(client: Client, key: str, notification: str) -> None:
    """Tell an incident's workflow that somebody has seen it; one that is over needs no telling.

    Raises:
        NotificationsUnavailableError: Temporal does not answer. The record says it all the same,
            and it is read before anybody is reminded.
    """
    handle = client.get_workflow_handle(notification_workflow_id(key))
    try:
        async with asyncio.timeout(START_TIMEOUT.total_seconds()):
            await handle.signal(ACKNOWLEDGE_SIGNAL, notification)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise NotificationsUnavailableError(str(error)) from None
    except TimeoutError:
        raise NotificationsUnavailableError("Temporal does not answer") from None
