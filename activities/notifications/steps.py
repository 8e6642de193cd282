"""The steps of a notification: writing it down, choosing who is told, and sending."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.ports.notifications import (
    DeliveryFailedError,
    DeliveryRefusedError,
    Message,
    NotificationRecord,
    Notifiers,
)
from models.contracts.people.notifications import (
    Closing,
    Delivery,
    RoutePlan,
    RoutesToPlan,
    Standing,
    Undelivered,
)
from models.trading.governance.notifications.notice import Notice
from models.trading.governance.notifications.routing import Escalation, routes
from models.trading.governance.notifications.texts import short_text_of, subject_of, text_of

log = structlog.get_logger(__name__)

REASON_LENGTH = 300


class NotificationActivities:
    """Steps over the record and the channels.

    Args:
        record: what is kept of notifications.
        notifiers: what sends, by the kind of channel.
        escalation: reads the rules in force.
        clock: protocol time.
        control_room: the address of the control room, which links begin with.
    """

    def __init__(
        self,
        record: NotificationRecord,
        notifiers: Notifiers,
        escalation: Callable[[], Awaitable[Escalation]],
        clock: Callable[[], datetime],
        control_room: str,
    ) -> None:
        self._record = record
        self._notifiers = notifiers
        self._escalation = escalation
        self._clock = clock
        self._control_room = control_room

    @activity.defn
    async def record_notice(self, notice: Notice) -> Standing:
        """Count an occurrence; the notification is made by its first one."""
        return await self._record.record_notice(notice)

    @activity.defn
    async def plan_routes(self, wanted: RoutesToPlan) -> RoutePlan:
        """Choose who is told now, and read when somebody else is."""
        escalation = await self._escalation()
        if not await self._record.needs_telling(wanted.notification):
            return RoutePlan((), escalation, needs_telling=False)
        people = await self._record.recipients()
        found = routes(wanted.notice, people, self._clock(), level=wanted.level)
        if not found:
            log.warning(
                "nobody is told of a notification",
                notification=wanted.notification,
                severity=wanted.notice.severity.value,
            )
        return RoutePlan(tuple(found), escalation, needs_telling=True)

    @activity.defn
    async def deliver(self, delivery: Delivery) -> None:
        """Send a message, and write what came of it; one that has gone out is not sent again."""
        channel = await self._record.channel(delivery.channel)
        if channel is None:
            await self._end(delivery, sent=False, final=True, reason="the channel was removed")
            return
        if not await self._record.begin_delivery(delivery, self._clock()):
            return
        notice = delivery.notice
        message = Message(
            delivery.delivery,
            delivery.channel,
            subject_of(notice, delivery.level),
            text_of(notice, delivery.notification, delivery.level, control_room=self._control_room),
            short_text_of(notice, delivery.level),
            delivery.notification,
            notice,
            delivery.level,
        )
        try:
            await self._notifiers[channel.kind].notify(channel.address, message)
        except DeliveryRefusedError as error:
            await self._end(delivery, sent=False, final=False, reason=str(error))
            raise ApplicationError(
                str(error)[:REASON_LENGTH], type="DeliveryRefused", non_retryable=True
            ) from None
        except DeliveryFailedError as error:
            await self._end(delivery, sent=False, final=False, reason=str(error))
            wait = None if error.retry_after is None else timedelta(seconds=error.retry_after)
            raise ApplicationError(
                str(error)[:REASON_LENGTH], type="DeliveryFailed", next_retry_delay=wait
            ) from None
        await self._end(delivery, sent=True, final=True)

    @activity.defn
    async def give_up(self, undelivered: Undelivered) -> None:
        """Write that a message was given up; the record tells it, and other channels say so."""
        await self._end(undelivered.delivery, sent=False, final=True, reason=undelivered.reason)

    @activity.defn
    async def close_notification(self, closing: Closing) -> None:
        """Count no more occurrences in a notification."""
        await self._record.close(closing, self._clock())

    async def _end(self, delivery: Delivery, *, sent: bool, final: bool, reason: str = "") -> None:
        if not sent:
            log.warning(
                "a notification was not delivered",
                delivery=delivery.delivery,
                given_up=final,
                reason=reason[:REASON_LENGTH],
            )
        await self._record.end_delivery(
            delivery, self._clock(), sent=sent, final=final, reason=reason[:REASON_LENGTH]
        )
