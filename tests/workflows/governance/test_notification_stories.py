"""Notifications from the record to a real receiver: once, in spite of failures, until seen."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio

from activities.adapters.notify.post import Destinations
from activities.adapters.notify.webhook import WebhookNotifier
from activities.adapters.postgres import audit
from activities.adapters.postgres.notifications.record import PostgresNotifications
from activities.adapters.temporal.notifications import begin_notification, signal_acknowledged
from activities.notifications.pump import NotificationPump
from activities.notifications.steps import NotificationActivities
from infra.runtime.database.connections import PLATFORM_SCOPE, Database, Role
from models.contracts.people.notifications import notification_workflow_id
from models.trading.governance.notifications.notice import Notice, Severity
from models.trading.governance.notifications.routing import ChannelKind, Escalation
from tests.support.receivers import FixedSecrets, receiver
from tests.support.temporal import eventually
from workers.notifications.assembly import notification_worker

QUICK = Escalation(
    after=timedelta(seconds=1),
    every=timedelta(seconds=1),
    times=2,
    quiet_period=timedelta(seconds=1),
)
LONG = Escalation()


def now() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def notifier(postgres, database_name):
    database = Database(postgres.url(Role.NOTIFIER, database_name))
    yield database
    await database.close()


@pytest_asyncio.fixture
async def server():
    async with receiver() as found:
        yield found


@pytest.fixture
def sql(postgres, database_name):
    with psycopg.connect(postgres.url("postgres", database_name), autocommit=True) as connection:
        # Each story has its own people.
        connection.execute("UPDATE people SET disabled_at = now() WHERE disabled_at IS NULL")
        yield connection


def add_person(sql, server, role="director", scope="*", minimum="information", path="hook"):
    user, channel = uuid4().hex[:12], f"c-{uuid4().hex[:12]}"
    sql.execute("INSERT INTO people VALUES (%s, %s, 'x', NULL, false, now(), 'test')", [user, user])
    sql.execute("INSERT INTO person_grants VALUES (%s, %s, %s, now(), 'test')", [user, role, scope])
    sql.execute(
        """INSERT INTO notification_channels
           VALUES (%s, %s, 'webhook', 'mine', %s, %s, '{*}', now())""",
        [channel, user, f"{server.url}/{path}", minimum],
    )
    return user, channel


def a_notice(severity=Severity.CRITICAL, key="", **changed) -> Notice:
    usual = {
        "occurrence": uuid4().hex,
        "key": key or f"story.{uuid4().hex}",
        "event": "drawdown_halted",
        "severity": severity,
        "scope": "company",
        "title": "A drawdown limit was reached",
        "detail": "",
        "runbook": "",
        "at": now(),
    }
    return Notice(**{**usual, **changed})


@asynccontextmanager
async def notifying(client, database, server, escalation=LONG):
    async def rules() -> Escalation:
        return escalation

    record = PostgresNotifications(database)
    webhook = WebhookNotifier(
        Destinations(frozenset({server.host, "127.0.0.1:9"})), FixedSecrets(webhook_key="k"), now
    )
    steps = NotificationActivities(
        record, {ChannelKind.WEBHOOK: webhook}, rules, now, "https://desk.test"
    )
    async with notification_worker(client, steps):
        yield record


def row(sql, notice):
    return sql.execute(
        """SELECT occurrences, acknowledged_at IS NOT NULL, resolved_at IS NOT NULL,
               closed_because FROM notifications WHERE notification_id = %s""",
        [notice.occurrence],
    ).fetchone()


def states(sql, notice):
    return sorted(
        state
        for (state,) in sql.execute(
            "SELECT state FROM notification_deliveries WHERE notification_id = %s",
            [notice.occurrence],
        )
    )


def acknowledge(sql, notice):
    sql.execute(
        """UPDATE notifications SET acknowledged_at = now(), acknowledged_by = 'user/x'
           WHERE notification_id = %s""",
        [notice.occurrence],
    )


async def test_same_incident_is_told_once_and_counted(client, notifier, server, sql):
    add_person(sql, server)
    first = a_notice()
    again = a_notice(key=first.key)
    async with notifying(client, notifier, server):
        for notice in (first, first, again):
            await begin_notification(client, notice)
        await eventually(lambda: row(sql, first) and row(sql, first)[0] == 2, "both are counted")
        await eventually(lambda: states(sql, first) == ["sent"], "it is sent")
    assert len(server.received) == 1


async def test_message_is_sent_again_with_its_id_until_it_is_taken(client, notifier, server, sql):
    add_person(sql, server)
    server.answer(503, (429, {}, {"Retry-After": "0"}), 200)
    notice = a_notice(Severity.WARNING)
    async with notifying(client, notifier, server):
        await begin_notification(client, notice)
        await eventually(lambda: states(sql, notice) == ["sent"], "it is taken", 30)
    assert len({got.headers["webhook-id"] for got in server.received}) == 1
    assert len(server.received) == 3


async def test_odd_words_do_not_keep_a_notice_from_being_told(client, notifier, server, sql):
    add_person(sql, server)
    notice = a_notice(detail="a\nb\x00c")
    async with notifying(client, notifier, server):
        await begin_notification(client, notice)
        await eventually(lambda: states(sql, notice) == ["sent"], "it is sent")


async def test_dead_channel_holds_up_no_other(client, notifier, server, sql):
    add_person(sql, server)
    _, dead = add_person(sql, server)
    sql.execute(
        "UPDATE notification_channels SET address = 'http://127.0.0.1:9/' WHERE channel_id = %s",
        [dead],
    )
    notice = a_notice()
    async with notifying(client, notifier, server):
        await begin_notification(client, notice)
        await eventually(lambda: states(sql, notice) == ["sent", "waiting"], "one is sent")


async def test_message_that_is_refused_is_told_by_the_record(client, notifier, server, sql):
    _, channel = add_person(sql, server)
    server.answer(410)
    notice = a_notice()
    async with notifying(client, notifier, server):
        await begin_notification(client, notice)
        await eventually(lambda: states(sql, notice) == ["failed"], "it is given up")
    told = sql.execute(
        """SELECT details->>'reason' FROM audit_log WHERE action = 'notification_undelivered'
           AND details->>'channel' = %s""",
        [channel],
    ).fetchall()
    assert len(told) == 1
    assert "410" in told[0][0]


async def test_undelivered_message_about_an_undelivered_message_ends_there(
    client, notifier, server, sql
):
    _, channel = add_person(sql, server)
    server.answer(410)
    notice = a_notice(Severity.WARNING, event="notification_undelivered")
    async with notifying(client, notifier, server):
        await begin_notification(client, notice)
        await eventually(lambda: states(sql, notice) == ["failed"], "it is given up")
    assert not sql.execute(
        "SELECT FROM audit_log WHERE details->>'channel' = %s", [channel]
    ).fetchall()


async def test_every_director_is_told_until_somebody_acknowledges(client, notifier, server, sql):
    add_person(sql, server, path="first")
    add_person(sql, server, path="director", minimum="critical")
    sql.execute("UPDATE notification_channels SET events = '{}' WHERE minimum = 'critical'")
    notice = a_notice()
    async with notifying(client, notifier, server, QUICK):
        await begin_notification(client, notice)
        await eventually(
            lambda: any(got.path == "/director" for got in server.received), "others are told"
        )
        acknowledge(sql, notice)
        await signal_acknowledged(client, notice.key, notice.occurrence)
        await eventually(lambda: row(sql, notice)[3] == "acknowledged", "it ends")
        told = len(server.received)
        with pytest.raises(AssertionError):
            await eventually(lambda: len(server.received) > told, "nobody is told more", 2.5)


async def test_acknowledgement_counts_although_the_workflow_never_heard_of_it(
    client, notifier, server, sql
):
    add_person(sql, server)
    notice = a_notice()
    async with notifying(client, notifier, server, QUICK):
        await begin_notification(client, notice)
        await eventually(lambda: len(server.received) == 1, "the first message")
        acknowledge(sql, notice)
        await eventually(lambda: row(sql, notice)[3] == "acknowledged", "it ends")


async def test_end_of_an_incident_closes_it_and_the_next_one_is_another(
    client, notifier, server, sql
):
    add_person(sql, server)
    first = a_notice(Severity.WARNING)
    over = a_notice(Severity.WARNING, key=first.key, resolves=True)
    later = a_notice(Severity.WARNING, key=first.key)
    async with notifying(client, notifier, server):
        await begin_notification(client, first)
        await eventually(lambda: states(sql, first) == ["sent"], "it is told")
        await begin_notification(client, over)
        await eventually(lambda: row(sql, first)[2:] == (True, "resolved"), "it is over")
        await begin_notification(client, later)
        await eventually(lambda: states(sql, later) == ["sent"], "the next one is told")
    assert len(server.received) == 2


async def test_end_of_what_never_began_leaves_nothing(client, notifier, server, sql):
    over = a_notice(resolves=True)
    async with notifying(client, notifier, server):
        await begin_notification(client, over)
        handle = client.get_workflow_handle(notification_workflow_id(over.key))
        await handle.result()
    assert row(sql, over) is None


async def test_rows_of_the_record_are_told_once_though_the_process_dies_in_between(
    client, notifier, server, sql, postgres, database_name
):
    add_person(sql, server)
    workers = Database(postgres.url(Role.APP, database_name))
    async with workers.account_scope(PLATFORM_SCOPE) as session:
        await audit.append(session, PLATFORM_SCOPE, "aether", "restored", {"at": "noon"}, "r-1")
    await workers.close()

    async def dies(notice) -> None:
        await begin_notification(client, notice)
        raise ConnectionError("killed")

    async with notifying(client, notifier, server) as record:
        with pytest.raises(ConnectionError):
            await NotificationPump(record, dies).look()
        pump = NotificationPump(record, partial(begin_notification, client))
        while await pump.look():
            continue
        told = "SELECT occurrences FROM notifications WHERE event = 'restored'"
        await eventually(lambda: sql.execute(told).fetchall() == [(1,)], "it is counted once")
        await eventually(
            lambda: [g for g in server.received if b'"aether.restored"' in g.body], "it is told"
        )
    assert await record.pending_actions(10) == []


async def test_pump_waits_for_an_engine_that_is_away(notifier, server, sql):
    stop, tried = asyncio.Event(), []

    async def away(notice) -> None:
        tried.append(notice)
        stop.set()
        raise ConnectionError("away")

    record = PostgresNotifications(notifier)
    sql.execute("UPDATE notification_cursors SET sequence = 0 WHERE scope = 'platform'")
    await asyncio.wait_for(NotificationPump(record, away).run(stop), 20)
    assert len(tried) == 1
    assert sql.execute(
        "SELECT sequence FROM notification_cursors WHERE scope = 'platform'"
    ).fetchone() == (0,)
