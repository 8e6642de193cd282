"""People in the record who approve, or try to, as the database sees them."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4


class Person:
    """Somebody in the record, with a session and a confirmation that was used."""

    def __init__(self, owner, *scopes, age="2 days"):
        self.user = uuid4().hex
        self.author = f"user/{self.user}"
        self.session = uuid4().hex
        self.step_up = uuid4().hex
        self.owner = owner
        owner.execute(
            "INSERT INTO people (user_id, name, display_name, may_enrol, created_at, created_by) "
            "VALUES (%s, %s, '', false, now(), 'aether')",
            [self.user, self.user[:20]],
        )
        for scope in scopes:
            owner.execute(
                "INSERT INTO person_grants VALUES (%s, 'director', %s, now() - %s::interval, 'x')",
                [self.user, scope, age],
            )
        owner.execute(
            "INSERT INTO person_sessions VALUES (%s, %s, %s, 'full', false, now(), now(), '', '')",
            [self.session, self.session, self.user],
        )

    def confirm(self, purpose, subject="", *, session=None, ago="0 minutes"):
        self.owner.execute("DELETE FROM step_ups WHERE user_id = %s", [self.user])
        self.owner.execute(
            "INSERT INTO step_ups (step_up_id, user_id, session_id, purpose, subject, content, "
            "nonce, challenge, asked_at, used_at) "
            "VALUES (%s, %s, %s, %s, %s, '', '', '', now(), now() - %s::interval)",
            [self.step_up, self.user, session or self.session, purpose, subject, ago],
        )

    def another_session(self):
        found = uuid4().hex
        self.owner.execute(
            "INSERT INTO person_sessions VALUES (%s, %s, %s, 'full', false, now(), now(), '', '')",
            [found, found, self.user],
        )
        return found

    def approve(self, connection, request, account="platform", step_up=None):
        if step_up is None:
            self.confirm("approve", f"/api/v1/approvals/{request}/approve")
        connection.execute(
            "SELECT note_decision(%s, %s, %s, true, now(), %s, %s)",
            [account, request, self.author, self.session, step_up or self.step_up],
        )


def a_request(owner, asked_by, account="platform", subject="change_settings", **changes):
    name = uuid4().hex
    row = {
        "status": "pending",
        "expires_at": datetime.now(UTC) + timedelta(hours=1),
        "content": {},
    } | changes
    owner.execute("SELECT set_config('aether.account_id', %s, false)", [account])
    owner.execute(
        "INSERT INTO approvals (account_id, approval_id, subject, requested_by, detail, "
        "requested_at, expires_at, price_tolerance, status, reason, content) "
        "VALUES (%s, %s, %s, %s, '', now(), %s, 0, %s, '', %s)",
        [
            account,
            name,
            subject,
            asked_by,
            row["expires_at"],
            row["status"],
            json.dumps(row["content"]),
        ],
    )
    return name


def noted(owner, request):
    rows = owner.execute(
        "SELECT decided_by FROM approval_decisions WHERE approval_id = %s", [request]
    )
    return [row[0] for row in rows]


def state_of(error):
    return error.value.sqlstate
