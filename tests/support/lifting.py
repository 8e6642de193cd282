"""Two people who lift what was stopped: over an application in this process, or a whole stack."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from models.trading.governance.approval import ApprovalRequest
from models.trading.governance.subjects import Subject
from tests.support.own_stack import OwnStack
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, Platform, a_key
from tests.support.stack_people import StackPerson

WHY = {"reason": "looked into it"}


async def lift_kill_switch(platform: Platform, number: int) -> httpx.Response:
    """Let one person ask for a kill switch to be lifted and another one approve it."""
    async with (
        signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as first,
        signed_in(platform.app, PORT_BASE, platform.admin, factors=2) as second,
    ):
        path = f"/api/v1/kill-switch/{number}/lift"
        asked = await first.post(path, json=WHY, headers=a_key())
        if asked.status_code != httpx.codes.ACCEPTED:
            return asked
        approve = f"/api/v1/approvals/{asked.json()['approval']}/approve"
        return await second.post(approve, json=WHY, headers=a_key())


def lift_on_stack(stack: OwnStack, number: int) -> httpx.Response:
    """Do the same on a whole stack, from outside."""
    people = [StackPerson(stack, f"lifts-{uuid4().hex[:8]}") for _ in range(2)]
    try:
        headers = {"Idempotency-Key": uuid4().hex}
        path = f"/kill-switch/{number}/lift"
        asked = people[0].request("POST", path, json=WHY, headers=headers)
        if asked.status_code != httpx.codes.ACCEPTED:
            return asked
        path = f"/approvals/{asked.json()['approval']}/approve"
        headers = {"Idempotency-Key": uuid4().hex}
        return people[1].request("POST", path, json=WHY, headers=headers)
    finally:
        for person in people:
            person.close()


_ASKED = """INSERT INTO approvals (account_id, approval_id, subject, requested_by, detail,
        requested_at, expires_at, price_tolerance, status, reason, content)
    SELECT 'platform', %s, 'lift_kill_switch', %s, '', now(), now() + interval '1 day', 0,
        'pending', '', jsonb_build_object('number', number, 'engaged_by', engaged_by,
            'accounts', accounts)::text
    FROM kill_switches WHERE number = %s ON CONFLICT DO NOTHING"""
_DIRECTOR = """WITH made AS (INSERT INTO people (user_id, name, display_name, may_enrol, created_at,
            created_by)
        VALUES (%(user)s, %(user)s, '', false, now(), 'aether') ON CONFLICT DO NOTHING)
    INSERT INTO person_grants (user_id, role, scope, granted_at, granted_by)
    VALUES (%(user)s, 'director', '*', now() - interval '2 days', 'aether')
    ON CONFLICT DO NOTHING"""


def note_approval(url: str, account: str, asked: ApprovalRequest, by: str) -> None:
    """Write a request and its approval as the workflow and the API do, as the superuser."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO approvals (account_id, approval_id, subject, requested_by, detail,
                   requested_at, expires_at, price_tolerance, status, reason, content)
               VALUES (%s, %s, %s, %s, %s, %s, %s, 0, 'pending', '', %s) ON CONFLICT DO NOTHING""",
            [
                account,
                asked.request_id,
                asked.subject.value,
                asked.requested_by,
                asked.detail,
                asked.requested_at,
                asked.expires_at,
                asked.content,
            ],
        )
        connection.execute(
            "INSERT INTO approval_decisions VALUES (%s, %s, %s, true, now(), '') "
            "ON CONFLICT DO NOTHING",
            [account, asked.request_id, by],
        )


def approve_model(url: str, model: str, by: str = "user/second") -> None:
    """Let a person have approved that a model trades."""
    now = datetime.now(UTC)
    asked = ApprovalRequest(
        f"promote-{model}", Subject.PROMOTE_MODEL, "aether", "", now, now + timedelta(days=7)
    )
    note_approval(url, "platform", asked, by)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE approvals SET status = 'approved', decided_by = %s WHERE approval_id = %s",
            [by, asked.request_id],
        )


def approve_in_record(url: str, number: int, asks: str, approves: str) -> None:
    """Have a lift asked for and approved by the record's own functions, as its superuser."""
    name, scope = str(uuid4()), "SELECT set_config('aether.account_id', 'platform', false)"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(scope)
        asked = "SELECT request_kill_switch_lift(%s, %s, now(), NULL, %s, 'over')"
        told = connection.execute(asked, [number, asks, name]).fetchone()
        connection.execute(scope)
        connection.execute(_ASKED, [told[0]["approval"], told[0]["by"], number])
        connection.execute(_DIRECTOR, {"user": approves.removeprefix("user/")})
        noted = "SELECT note_decision('platform', %s, %s, true, now(), NULL, NULL)"
        connection.execute(noted, [told[0]["approval"], approves])


def lift_in_record(
    url: str, number: int, asks: str = "user/one", approves: str = "user/two"
) -> Any:
    """Lift by the record's own functions, as its superuser; return who is said to have lifted."""
    approve_in_record(url, number, asks, approves)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT lift_kill_switch(%s, now(), %s)", [number, approves])
        row = "SELECT lifted_by FROM kill_switches WHERE number = %s"
        return connection.execute(row, [number]).fetchone()[0]
