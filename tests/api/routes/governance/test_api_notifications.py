"""Notifications by the API: alerts of Prometheus, who has seen what, and one's own channels."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio

from activities.adapters.notify.post import Destinations
from activities.adapters.notify.webhook import WebhookNotifier, channel_key
from activities.adapters.postgres.notifications.record import PostgresNotifications
from activities.notifications.steps import NotificationActivities
from infra.runtime.database.connections import Database, Role
from infra.runtime.secrets import local_secrets
from infra.runtime.state_directory import StateDirectory
from models.trading.governance.notifications.routing import ChannelKind, Escalation
from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as PersonRole
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key
from tests.support.receivers import FixedSecrets, receiver
from tests.support.temporal import eventually
from workers.notifications.assembly import notification_worker


def now() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture
async def server():
    async with receiver() as found:
        yield found


@pytest.fixture
def private(platform, server, tmp_path, monkeypatch):
    """The platform with secrets of its own, and a receiver in the operator's own network."""
    settings = platform.services.settings
    monkeypatch.setattr(settings, "home", tmp_path)
    monkeypatch.setattr(settings, "notify_private_hosts", server.host)
    local_secrets(StateDirectory(tmp_path).secrets).create()
    return platform


@asynccontextmanager
async def notifying(platform, server, postgres, api_database):
    database = Database(postgres.url(Role.NOTIFIER, api_database))

    async def rules() -> Escalation:
        return Escalation()

    webhook = WebhookNotifier(
        Destinations(frozenset({server.host})), FixedSecrets(webhook_key="k"), now
    )
    steps = NotificationActivities(
        PostgresNotifications(database),
        {ChannelKind.WEBHOOK: webhook},
        rules,
        now,
        "https://desk.test",
    )
    async with notification_worker(platform.services.client, steps):
        yield
    await database.close()


@pytest_asyncio.fixture
async def notified(private, server, postgres, api_database):
    async with notifying(private, server, postgres, api_database):
        yield private


def an_alert(name="AetherUnprotectedPosition", status="firing", **labels) -> dict:
    begun = now() - timedelta(minutes=1)
    return {
        "status": status,
        "labels": {"alertname": name, "severity": "page", **labels},
        "annotations": {"summary": f"{name} of a test", "runbook": f"docs/runbooks/{name}.md"},
        "startsAt": begun.isoformat(),
        "endsAt": now().isoformat(),
        "generatorURL": "http://127.0.0.1/graph",
        "fingerprint": uuid4().hex[:16],
    }


def from_alertmanager(*alerts: dict) -> dict:
    return {
        "version": "4",
        "groupKey": "{}",
        "status": "firing",
        "receiver": "aether",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://127.0.0.1:9093",
        "truncatedAlerts": 0,
        "alerts": list(alerts),
    }


async def post_alerts(caller, *alerts):
    return await caller.post("/api/v1/notifications/alertmanager", json=from_alertmanager(*alerts))


async def told(caller, title, **parameters):
    page = (await caller.get("/api/v1/notifications", params={"limit": 500, **parameters})).json()
    return [one for one in page["notifications"] if one["title"] == title]


async def test_alert_becomes_a_notification_with_its_runbook_and_ends_with_it(notified):
    name = f"Aether{uuid4().hex[:8]}"
    alert, title = an_alert(name), f"{name} of a test"
    for _ in range(2):
        answer = await post_alerts(notified.caller, alert)
        assert (answer.status_code, answer.json()) == (202, {"notices": 1})
    (one,) = await eventually(lambda: told(notified.caller, title), "it is recorded")
    assert (one["severity"], one["occurrences"]) == ("critical", 1)
    assert one["runbook"] == f"docs/runbooks/{name}.md"
    await post_alerts(notified.caller, alert | {"status": "resolved"})

    async def over():
        return (await told(notified.caller, title))[0]["closed_because"] == "resolved"

    await eventually(over, "it is over")
    assert await told(notified.caller, title, only_open="true") == []


async def test_alert_that_always_fires_is_told_to_nobody(notified):
    answer = await post_alerts(notified.caller, an_alert("AetherWatching"))
    assert answer.json() == {"notices": 0}


async def test_nobody_without_the_right_may_post_alerts(private):
    assert (await post_alerts(private.stranger, an_alert())).status_code == 401
    grant = Grant(PersonRole.OPERATOR)
    async with signed_in(private.app, PORT_BASE, private.admin, grant) as operator:
        assert (await post_alerts(operator, an_alert())).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "3"},
        {"alerts": [{"status": "firing"}]},
        {"alerts": [an_alert() | {"fingerprint": "../x"}]},
        {"alerts": [an_alert() | {"startsAt": "yesterday"}]},
        {"alerts": [an_alert() | {"labels": {"a" * 3: "b\x00"}}]},
    ],
)
async def test_odd_alerts_are_refused_and_nothing_is_begun(private, changed):
    body = from_alertmanager(an_alert()) | changed
    answer = await private.caller.post("/api/v1/notifications/alertmanager", json=body)
    assert answer.status_code in (202, 422)
    if "labels" not in str(changed) or "\\x00" not in str(changed):
        assert answer.status_code == 422


async def test_person_adds_a_channel_is_told_and_acknowledges(notified, server):
    async with signed_in(notified.app, PORT_BASE, notified.admin) as anna:
        body = {"kind": "webhook", "label": "mine", "address": f"{server.url}/anna"}
        key = a_key()
        added = await anna.post("/api/v1/me/channels", json=body, headers=key)
        again = await anna.post("/api/v1/me/channels", json=body, headers=key)
        assert added.status_code == 201, added.text
        assert added.json() == again.json()
        store = local_secrets(StateDirectory(notified.services.settings.home).secrets)
        expected = channel_key(store.provider_secret("webhook-key"), added.json()["channel_id"])
        assert added.json()["webhook_key"] == expected
        own = (await anna.get("/api/v1/me/channels")).json()
        assert [one["label"] for one in own["channels"]] == ["mine"]
        title = f"Fire in the data centre {uuid4().hex[:6]}"
        posted = await notified.caller.post(
            "/api/v1/notifications", json={"title": title, "severity": "critical"}, headers=a_key()
        )
        assert posted.status_code == 202, posted.text
        (one,) = await eventually(lambda: told(anna, title, only_open="true"), "it is open")
        await eventually(
            lambda: any(got.path == "/anna" and title.encode() in got.body
                        for got in server.received), "anna is told",
        )  # fmt: skip
        path = f"/api/v1/notifications/{one['notification_id']}"
        for _ in range(2):
            seen = await anna.post(f"{path}/acknowledge", json={}, headers=a_key())
            assert seen.status_code == 200, seen.text
        story = (await anna.get(path)).json()
        assert story["acknowledged_by"] == anna.user
        assert [one["state"] for one in story["deliveries"]] == ["sent"]
        assert await told(anna, title, only_open="true") == []
        rows = await notified.audited("platform", "notification_acknowledged")
        assert [r["actor"] for r in rows if one["notification_id"] in r["correlation"]] == [
            anna.user
        ]
        async with signed_in(notified.app, PORT_BASE, notified.admin) as bert:
            channel = added.json()["channel_id"]
            assert (await bert.delete(f"/api/v1/me/channels/{channel}")).status_code == 404
        assert (await anna.delete(f"/api/v1/me/channels/{channel}")).status_code == 200
        assert (await anna.get("/api/v1/me/channels")).json()["channels"] == []


async def test_machine_and_auditor_cannot_acknowledge(notified):
    title = f"Something {uuid4().hex[:8]}"
    await notified.caller.post(
        "/api/v1/notifications", json={"title": title, "severity": "warning"}, headers=a_key()
    )
    (one,) = await eventually(lambda: told(notified.caller, title), "it is recorded")
    path = f"/api/v1/notifications/{one['notification_id']}/acknowledge"
    assert (await notified.caller.post(path, json={}, headers=a_key())).status_code == 403
    grant = Grant(PersonRole.AUDITOR)
    async with signed_in(notified.app, PORT_BASE, notified.admin, grant) as auditor:
        assert (await auditor.post(path, json={}, headers=a_key())).status_code == 403


async def test_nobody_sees_what_concerns_an_account_that_is_not_theirs(notified):
    account, other = await notified.add_account(), await notified.add_account()
    name = f"Aether{uuid4().hex[:8]}"
    await post_alerts(notified.caller, an_alert(name, account=account))
    title = f"{name} of a test"
    (one,) = await eventually(lambda: told(notified.caller, title), "it is recorded")
    assert one["scope"] == account
    grant = Grant(PersonRole.OPERATOR, other)
    async with signed_in(notified.app, PORT_BASE, notified.admin, grant) as stranger:
        path = f"/api/v1/notifications/{one['notification_id']}"
        assert await told(stranger, title) == []
        assert (await stranger.get(path)).status_code == 404
        seen = await stranger.post(f"{path}/acknowledge", json={}, headers=a_key())
        assert seen.status_code == 404


@pytest.mark.parametrize(
    ("kind", "address", "status"),
    [
        ("email", "anna@example.org", 409),
        ("sms", "+15550123", 409),
        ("webhook", "http://127.0.0.1:7400/api/v1/kill-switch", 422),
        ("webhook", "https://10.0.0.1/", 422),
        ("webhook", "ftp://example.org/", 422),
    ],
)
async def test_channel_that_cannot_work_or_leads_inside_is_refused(private, kind, address, status):
    async with signed_in(private.app, PORT_BASE, private.admin) as anna:
        body = {"kind": kind, "label": "x", "address": address}
        answer = await anna.post("/api/v1/me/channels", json=body, headers=a_key())
        assert answer.status_code == status, answer.text
        assert (await anna.get("/api/v1/me/channels")).json()["channels"] == []


async def test_quiet_hours_are_ones_own_and_need_a_zone_that_exists(private):
    async with signed_in(private.app, PORT_BASE, private.admin) as anna:
        hours = {"begins": "22:00", "ends": "07:00", "zone": "Europe/Berlin"}
        wrong = await anna.put("/api/v1/me/channels/quiet-hours", json=hours | {"zone": "Mars/One"})
        assert wrong.status_code == 422
        done = await anna.put("/api/v1/me/channels/quiet-hours", json=hours)
        assert done.status_code == 200, done.text
        assert (await anna.get("/api/v1/me/channels")).json()["quiet_hours"] == hours


async def test_what_is_not_reached_is_a_degraded_mode_and_a_figure(private):
    status = (await private.caller.get("/api/v1/notifications/status")).json()
    missing = {kind["kind"]: kind["missing"] for kind in status["kinds"]}
    assert "AETHER_SMTP_HOST" in missing["email"]
    assert missing["webhook"] == ""
    figures = (await private.caller.get("/metrics")).text
    assert "aether_notifications_backlog_rows_count" in figures
    assert 'aether_notifications_unacknowledged_count{severity="critical"}' in figures
