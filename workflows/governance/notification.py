"""One incident: people are told, reminded until somebody acknowledges, and not told twice.

Its id is the incident's key, so Temporal itself keeps repeated occurrences in one notification.
Messages go out beside the loop: a dead channel delays neither another one nor an acknowledgement.
"""

import asyncio
from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from activities.notifications.steps import NotificationActivities
from activities.policies import DELIVERY, DELIVERY_WITHIN, RECORD
from models.contracts.people.notifications import (
    Closing,
    Delivery,
    NotificationInput,
    OpenIncident,
    RoutePlan,
    RoutesToPlan,
    Standing,
    Undelivered,
)
from models.trading.bounds import OutOfBoundsError
from models.trading.governance.notifications.notice import Notice
from models.trading.governance.notifications.routing import Escalation, Route
from models.trading.message_bounds import check_fact, with_clean_texts

HISTORY_BUDGET_EVENTS = 2_000
WAITING_MAXIMUM = 1_000
"""Occurrences that wait to be counted; more than this at once add nothing that people can use."""
FORGOTTEN_AFTER = timedelta(days=7)


@workflow.defn
class NotificationWorkflow:
    """Count occurrences, send each round's messages, and end when the incident does."""

    @workflow.init
    def __init__(self, start: NotificationInput) -> None:
        self.key = start.key
        self.incident = start.incident
        self.escalation = start.escalation or Escalation()
        self.waiting: deque[Notice] = deque()
        if start.first is not None:
            self.hear(start.first)
        self.messages: dict[str, asyncio.Task[None]] = {}
        self.acknowledged = False
        self.over = ""

    @workflow.run
    async def run(self, _start: NotificationInput) -> None:
        """Deal with what happens until the incident is over."""
        while True:
            while self.waiting:
                await self.count(self.waiting.popleft())
            if self.incident is None:
                return  # what came was known before, or the end of what never began
            if not self.acknowledged and self.round_is_due():
                await self.tell()
            if self.over and not self.waiting:
                await self.end()
                if not self.waiting:
                    return
                # It has happened again meanwhile: that is another notification.
                self.incident, self.over, self.acknowledged = None, "", False
                continue
            if self.should_continue_as_new():
                workflow.continue_as_new(
                    NotificationInput(self.key, None, self.incident, self.escalation)
                )
            await self.wait()

    async def count(self, notice: Notice) -> None:
        """Write an occurrence down; the first opens the incident."""
        standing: Standing = await workflow.execute_activity_method(
            NotificationActivities.record_notice, notice, **RECORD
        )
        if notice.resolves:
            if self.incident is not None:
                self.over = "resolved"
            return
        if self.incident is not None:
            # An incident that is over and happens again goes on.
            self.over = ""
            if standing.is_new:
                self.incident = replace(self.incident, notice=notice, repeated=True)
        elif standing.is_open:
            now = workflow.now()
            self.acknowledged = not standing.needs_telling
            self.incident = OpenIncident(
                standing.notification, notice, level=0, batches=0, sent_at=now, opened_at=now
            )

    def round_is_due(self) -> bool:
        """Tell whether messages go out now."""
        assert self.incident is not None
        due = self.next_round()
        return not self.over and due is not None and due <= workflow.now()

    def next_round(self) -> datetime | None:
        """Return when the next messages go out, None when none will."""
        incident = self.incident
        if incident is None or self.acknowledged:
            return None
        if incident.batches == 0:
            return incident.opened_at
        waits = [self.escalation.due(incident.notice.severity, incident.level)]
        if incident.repeated:
            waits.append(self.escalation.quiet_period)
        known = [wait for wait in waits if wait is not None]
        return incident.sent_at + min(known) if known else None

    async def tell(self) -> None:
        """Send a round of messages, each on its own."""
        incident = self.incident
        assert incident is not None
        level = incident.level
        due = self.escalation.due(incident.notice.severity, level)
        if incident.batches and due is not None and workflow.now() >= incident.sent_at + due:
            level += 1
        plan: RoutePlan = await workflow.execute_activity_method(
            NotificationActivities.plan_routes,
            RoutesToPlan(incident.notification, incident.notice, level),
            **RECORD,
        )
        self.escalation = plan.escalation
        if not plan.needs_telling:
            self.acknowledged = True
            return
        batch = incident.batches + 1
        for route in plan.routes:
            delivery = Delivery(
                f"{incident.notification}.{batch}.{route.channel}",
                incident.notification,
                incident.notice,
                route.channel,
                route.user,
                level,
            )
            self.messages[delivery.delivery] = asyncio.create_task(self.send(delivery, route))
        self.incident = replace(
            self.incident or incident,
            level=level,
            batches=batch,
            sent_at=workflow.now(),
            repeated=False,
        )

    async def send(self, delivery: Delivery, route: Route) -> None:
        """Send one message, tried for hours; then write that it was given up."""
        try:
            if route.wait > timedelta(0):
                await workflow.sleep(route.wait)
            try:
                await workflow.execute_activity_method(
                    NotificationActivities.deliver,
                    delivery,
                    schedule_to_close_timeout=DELIVERY_WITHIN,
                    **DELIVERY,
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    return
                await workflow.execute_activity_method(
                    NotificationActivities.give_up,
                    Undelivered(delivery, str(error.cause)),
                    **RECORD,
                )
        finally:
            del self.messages[delivery.delivery]

    async def wait(self) -> None:
        """Wait for something to happen, for the next round, or for the incident to be old."""
        assert self.incident is not None
        told, closes = self.next_round(), self.closes_at()
        until = closes if told is None else min(told, closes)
        sending = len(self.messages)
        try:
            await workflow.wait_condition(
                lambda: (
                    bool(self.waiting)
                    or bool(self.over)
                    or (self.acknowledged and told is not None)
                    or len(self.messages) < sending
                ),
                timeout=max(timedelta(0), until - workflow.now()),
            )
        except TimeoutError:
            if workflow.now() >= closes and not self.waiting and not self.messages:
                self.over = "acknowledged" if self.acknowledged else self.end_by_itself()

    def closes_at(self) -> datetime:
        """Return when occurrences are no longer counted in this notification."""
        incident = self.incident
        assert incident is not None
        if self.acknowledged or not incident.notice.severity.needs_acknowledgement:
            quiet = incident.sent_at + self.escalation.quiet_period
            busy = bool(self.messages)
            return workflow.now() + DELIVERY_WITHIN if busy else quiet
        return incident.opened_at + FORGOTTEN_AFTER

    def end_by_itself(self) -> str:
        """Return why a notification ends that nobody has acknowledged."""
        assert self.incident is not None
        needed = self.incident.notice.severity.needs_acknowledgement
        return "not acknowledged" if needed else "told"

    async def end(self) -> None:
        """Let messages go out that must, and write that the incident is over."""
        incident = self.incident
        assert incident is not None
        if self.acknowledged or incident.notice.severity.needs_acknowledgement:
            # Somebody knows, or there is nothing to know any more: tries that wait are dropped.
            for task in list(self.messages.values()):
                task.cancel()
        await workflow.wait_condition(lambda: not self.messages)
        waited = workflow.now() - incident.opened_at
        await workflow.execute_activity_method(
            NotificationActivities.close_notification,
            Closing(incident.notification, self.over, waited),
            **RECORD,
        )

    def should_continue_as_new(self) -> bool:
        """Tell whether the history is long and nothing is under way that would be cut off."""
        info = workflow.info()
        long = info.get_current_history_length() > HISTORY_BUDGET_EVENTS
        return (long or info.is_continue_as_new_suggested()) and not (
            self.messages or self.waiting or self.acknowledged
        )

    @workflow.signal
    def occurred(self, notice: Notice) -> None:
        """Hear of an occurrence, or of the end."""
        self.hear(notice)

    def hear(self, notice: Notice) -> None:
        """Keep a notice that is within bounds until it is counted."""
        try:
            check_fact(notice)
        except OutOfBoundsError:
            # What is told must not be lost for an odd text in it.
            notice = with_clean_texts(notice)
            try:
                check_fact(notice)
            except OutOfBoundsError as error:
                workflow.logger.error("a notice is not listened to: %s", error)
                return
        if len(self.waiting) < WAITING_MAXIMUM:
            self.waiting.append(notice)

    @workflow.signal
    def acknowledge(self, notification: str) -> None:
        """Hear that somebody has acknowledged; the record says who."""
        if self.incident is not None and self.incident.notification == notification:
            self.acknowledged = True
