"""An approval whose worker process is killed by ``kill -9`` takes effect once, for one approver."""

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.adapters.temporal.approval_start import start_approval
from infra.runtime.database.connections import Role
from infra.runtime.temporal.client import connect
from infra.runtime.temporal.codec import PayloadKey
from models.contracts.approvals import ApprovalDecision, ApprovalInput
from models.contracts.names import approval_workflow_id
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalRequest
from models.trading.governance.rights import PLATFORM
from models.trading.governance.subject_contents import SettingsContent, write_content
from models.trading.governance.subjects import Subject
from tests.support.fakes import wall_clock
from tests.support.temporal import (
    NAMESPACE,
    OPEN_SERVERS,
    access,
    credentials,
    eventually,
    temporal_server,
)
from tests.workflows.governance.killed_worker import (
    AFTER,
    BEFORE,
    START_SECONDS,
    Post,
    WorkerProcess,
    worker_process,
)
from workers.upkeep.account_workflows import start_platform

APPROVERS = ("user/second", "user/third")
KILLED = (
    ("save_approval", BEFORE),
    ("save_approval", AFTER),
    ("prove_approval", BEFORE),
    ("prove_approval", AFTER),
    ("settle_approval", BEFORE),
    ("settle_platform_approval", BEFORE),
    ("settle_platform_approval", AFTER),
    ("settle_approval", AFTER),
)
"""Where the first process dies: twice before anybody can decide, then between decision and effect,
and between the effect and its report."""


class Record:
    """What outlives every process: the database, Temporal, and what is read of both."""

    def __init__(self, client: Client, post: Post, superuser: str, place: Path) -> None:
        self.client, self._post, self._superuser, self._place = client, post, superuser, place

    def post(self) -> Post:
        """Return a place for another process."""
        return replace(self._post, place=str(self._place / uuid4().hex))

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the database as its superuser."""
        with psycopg.connect(self._superuser, autocommit=True) as connection:
            cursor = connection.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def version(self) -> int:
        """Return the newest version of the platform's settings."""
        query = "SELECT coalesce(max(version), 0) FROM platform_settings_versions"
        return int(str(self.rows(query)[0][0]))

    async def ask(self) -> str:
        """Ask for a looser guard; return the request's id."""
        now, seconds = wall_clock(), 10_000 + self.version() * 60
        wanted = SettingsContent({"notifications.after": seconds}, "calmer", self.version())
        request = ApprovalRequest(
            str(uuid4()),
            Subject.CHANGE_SETTINGS,
            "user/first",
            "calmer",
            now,
            now + timedelta(hours=1),
            content=write_content(wanted),
        )
        await start_approval(self.client, ApprovalInput(PLATFORM, request))
        return request.request_id

    def is_recorded(self, approval: str) -> bool:
        """Tell whether people can see the request."""
        return bool(self.rows("SELECT 1 FROM approvals WHERE approval_id = %s", approval))

    def authenticate(self, approval: str) -> None:
        """Note both approvers, as the API does for who is signed in and has confirmed it."""
        for person in APPROVERS:
            self.rows(
                "INSERT INTO approval_decisions VALUES ('platform', %s, %s, true, now(), '')",
                approval,
                person,
            )

    async def approve(self, approval: str, by: str) -> Answer:
        """Send one person's approval; answered when what follows has been done, by whichever."""
        decision = ApprovalDecision(str(uuid4()), by, True, "", None, wall_clock())
        handle = self.client.get_workflow_handle(approval_workflow_id(PLATFORM, approval))
        answer: Answer = await handle.execute_update(
            "decide", decision, id=decision.request_id, result_type=Answer
        )
        return answer


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this module's own: nobody else may take its tasks."""
    with temporal_server(tmp_path_factory.mktemp("temporal")) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def record(address, postgres, database_name, tmp_path_factory) -> Record:
    place, key = tmp_path_factory.mktemp("workers"), os.urandom(32)
    keys = [PayloadKey("tests", key)]
    client = await connect(address, NAMESPACE, keys, tls=access(address))
    known = "" if address in OPEN_SERVERS else str(credentials())
    url = postgres.url(Role.APP, database_name)
    post = Post(address, known, key.hex(), url, str(place))
    await start_platform(client)
    return Record(client, post, postgres.url("postgres", database_name), place)


async def works(process: WorkerProcess) -> None:
    await eventually(process.is_ready, "the worker runs", START_SECONDS)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("step", "moment"), KILLED, ids=lambda word: word)
async def test_an_approval_survives_kill_9_and_takes_effect_once(
    record: Record, step: str, moment: str
) -> None:
    before = record.version()
    with worker_process(record.post(), step, moment) as first:
        await works(first)
        approval = await record.ask()
        deciding: list[asyncio.Task[Answer]] = []
        if step != "save_approval":
            await eventually(lambda: record.is_recorded(approval), "it is recorded", 60)
            record.authenticate(approval)
            deciding = [asyncio.create_task(record.approve(approval, p)) for p in APPROVERS]
        await eventually(first.stands_still, f"it stands still {moment} {step}", 60)
        first.kill()
    recorded = (step, moment) != ("save_approval", BEFORE)
    assert record.is_recorded(approval) is recorded
    done = moment == AFTER and step.startswith("settle")
    assert record.version() == before + int(done)
    with worker_process(record.post()) as second:
        await works(second)
        if not deciding:
            await eventually(lambda: record.is_recorded(approval), "it is recorded", 60)
            record.authenticate(approval)
            deciding = [asyncio.create_task(record.approve(approval, p)) for p in APPROVERS]
        async with asyncio.timeout(120):
            answers = await asyncio.gather(*deciding)
        await is_over(record, approval)
    assert sorted(answer.code for answer in answers) == ["accepted", "approval-decided"]
    winner = APPROVERS[[answer.code for answer in answers].index("accepted")]
    kept = record.rows("SELECT status, decided_by FROM approvals WHERE approval_id = %s", approval)
    assert kept == [("approved", winner)]
    assert record.version() == before + 1
    made = record.rows(
        "SELECT approved_by FROM platform_settings_versions WHERE version = %s", before + 1
    )
    assert made == [(winner,)]
    audited = record.rows(
        "SELECT count(*) FROM audit_log WHERE account_id = 'platform' "
        "AND action = 'settings_changed'"
    )
    assert audited == [(before + 1,)]


async def is_over(record: Record, approval: str) -> None:
    """Wait until the request's workflow has ended: nothing of it is still under way."""
    async with asyncio.timeout(60):
        await record.client.get_workflow_handle(approval_workflow_id(PLATFORM, approval)).result()
