"""Open histories of a copied Temporal file replay with this build, not with one that differs."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner

from infra.runtime.secrets import local_secrets
from infra.runtime.settings import Settings
from infra.runtime.temporal.client import connect
from tests.support.stories import Story, at_rest
from tests.support.temporal import NAMESPACE, World, access, temporal_program, temporal_server
from workers.backups import replaying
from workers.connection import payload_keys


@workflow.defn
class AccountWorkflow:
    """Decides otherwise than the one whose histories there are."""

    @workflow.run
    async def run(self, _start: object) -> None:
        await workflow.sleep(3600)


@pytest.fixture(scope="module")
async def copy(tmp_path_factory):
    """The state of an installation with one open trade, as a backup holds it."""
    home, server = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("server")
    local_secrets(home / "secrets").create()
    keys = payload_keys(Settings(home=home))
    with temporal_server(server) as address:
        client = await connect(address, NAMESPACE, keys, tls=access(address))
        world = World(client)
        async with world.running():
            story = Story(world, world.add_account())
            await story.begin()
            await story.open()
            await story.until_protected(1)
            await at_rest(story.handle)
    (home / "temporal").mkdir()
    for path in server.glob("temporal.db*"):
        name = path.name.replace("temporal.db", "temporal.sqlite")
        shutil.copy(path, home / "temporal" / name)
    return home


@pytest.fixture
def replay(copy, monkeypatch):
    monkeypatch.setenv("AETHER_TEMPORAL_NAMESPACE", NAMESPACE)
    return lambda until: replaying.replay_copy(copy, Path(temporal_program()), until)


def test_what_was_decided_is_decided_again(replay):
    found = replay(datetime.now(UTC))
    assert found.failures == ()
    assert found.count >= 3  # the account, its stream, its trade


def test_what_began_later_is_none_of_the_copy_s(replay):
    assert replay(datetime(2026, 1, 1, tzinfo=UTC)).count == 0


def test_a_build_that_decides_otherwise_is_named_with_the_workflow(replay, monkeypatch):
    others = [one for one in replaying.TRADING_WORKFLOWS if one.__name__ != "AccountWorkflow"]
    monkeypatch.setattr(replaying, "TRADING_WORKFLOWS", (*others, AccountWorkflow))
    monkeypatch.setattr(replaying, "sandbox_runner", UnsandboxedWorkflowRunner)
    found = replay(datetime.now(UTC))
    (failure,) = found.failures
    assert failure.startswith("account/")


def test_standard_output_holds_the_answer_alone_whatever_is_logged(tmp_path):
    chatty = (
        "import sys, structlog; from workers.backups import replaying\n"
        "def replay_copy(*_):\n"
        "    structlog.get_logger().warning('a library says something')\n"
        "    return replaying.Replayed(2, ('one',))\n"
        "replaying.replay_copy = replay_copy; sys.exit(replaying.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", chatty, str(tmp_path), "program", "2026-01-01"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout) == {"count": 2, "failures": ["one"]}
    assert "a library says something" in done.stderr
