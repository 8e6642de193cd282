"""A champion whose signal turns is withdrawn by itself: the learning process, its schedule, MLflow.

Nothing in the test asks the watch to withdraw anybody: it looks when its own schedule says so, only
sooner, and what it decides stands in the record, in the registry and in what is decided next.
"""

from dataclasses import dataclass

import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.client import Client, ScheduleHandle

from activities.adapters.postgres.audit import verify_chain
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts.learning import (
    CHAMPION,
    CHAMPION_WATCH_ID,
    FEATURE_REPLAY_ID,
    NO_TRADE,
    ChampionWatched,
)
from tests.e2e.turning import Play, signalling
from tests.support.model_registry import learning_environment, running, running_registry
from tests.support.temporal import NAMESPACE, OPEN_SERVERS, credentials, eventually
from workers.connection import connect_temporal, secret_store

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]

SOON = 17
HEALTHY_DECISIONS = 50
MOST_DECISIONS = 80
"""Decisions in which so many trades are taken for certain."""


@dataclass
class Stack:
    """The processes that run, and the market that the test plays."""

    client: Client
    play: Play

    async def look(self) -> ChampionWatched:
        """Let the schedule come due and return what its look found."""
        schedule: ScheduleHandle = self.client.get_schedule_handle(CHAMPION_WATCH_ID)
        before = (await schedule.describe()).info.num_actions
        await schedule.trigger()

        async def begun():
            info = (await schedule.describe()).info
            return info.recent_actions[-1] if info.num_actions > before else None

        started = (await eventually(begun, "the schedule starts a look", 60)).action
        handle = self.client.get_workflow_handle(
            started.workflow_id, run_id=started.first_execution_run_id, result_type=ChampionWatched
        )
        return await handle.result()

    async def decided_until_withdrawn(self) -> tuple[int, ChampionWatched]:
        """Let the signal be turned until a look withdraws; return how many trades that took."""
        trades = 0
        for _ in range(MOST_DECISIONS):
            trades += (await self.play.decide(flipped=True)).taken
            found = await self.look()
            if found.alarm:
                return trades, found
        raise AssertionError(f"not withdrawn after {trades} trades: {found}")


@pytest_asyncio.fixture(loop_scope="session")
async def stack(postgres, temporal_address, tmp_path):
    """Run MLflow and the learning process as the platform does."""
    name = postgres.new_database()
    environment = learning_environment(postgres, name, tmp_path) | {
        "AETHER_TEMPORAL_ADDRESS": temporal_address,
        "AETHER_TEMPORAL_NAMESPACE": NAMESPACE,
    }
    own = {"temporal_address": temporal_address, "temporal_namespace": NAMESPACE}
    if temporal_address not in OPEN_SERVERS:
        environment["AETHER_TEMPORAL_CREDENTIALS"] = str(credentials())
        own["temporal_credentials"] = credentials()
    with running_registry(environment, tmp_path) as served:
        own["database_url"] = environment["AETHER_DATABASE_URL"]
        settings = served.model_copy(update=own)
        secret_store(settings).create()
        client = await connect_temporal(settings)
        play = Play(postgres, name, settings)
        with running("workers.learning", environment, tmp_path / "learning.log"):
            yield Stack(client, play)
        # Its schedules would go on for whoever comes after on this server.
        for schedule in await scheduled(client):
            await client.get_schedule_handle(schedule).delete()
        await play.close()


async def test_champion_whose_signal_turns_is_withdrawn_within_seventeen_trades(stack):
    play = stack.play
    await eventually(
        lambda: both_scheduled(stack.client), "the learning process has its schedules", 600
    )
    one = await play.promote("run-1", signalling(1))
    two = await play.promote("run-2", signalling(2))
    # As good as its record: nobody is withdrawn.
    decided = [await play.decide(flipped=False) for _ in range(HEALTHY_DECISIONS)]
    assert {one.version for one in decided} == {two}
    assert sum(one.taken for one in decided) > SOON
    found = await stack.look()
    assert (found.champion, found.alarm) == ("run-2", "")
    assert found.decisions == HEALTHY_DECISIONS - 1  # what came of the last shows with the next

    trades, found = await stack.decided_until_withdrawn()
    assert 0 < trades <= SOON
    assert found.champion == "run-1"
    # At once, in the record, the registry and the very next decision.
    assert (await play.record.champion()).run_id == "run-1"
    assert await play.registry.get_model_version_by_alias(CHAMPION) == one
    next_one = await play.decide(flipped=True)
    assert next_one.version == one

    # The one before it reads the same signal: nothing is left but no trade, and nothing is decided.
    more, last = await stack.decided_until_withdrawn()
    assert 0 < more + next_one.taken <= SOON
    assert last.champion == NO_TRADE
    assert await play.decide(flipped=True) is None
    assert play.judge.status == "no trade"

    audited = text(
        "SELECT details FROM audit_log WHERE action = 'champion_changed' AND actor = 'aether' "
        "ORDER BY sequence"
    )
    async with play.admin.account_scope(PLATFORM_SCOPE) as session:
        told = [row.details for row in await session.sql(audited)]
    ways = [(entry["from"], entry["to"], entry["by"]) for entry in told]
    assert ways[-2:] == [("run-2", "run-1", "aether"), ("run-1", NO_TRADE, "aether")]
    assert [entry["reason"] for entry in told[-2:]] == [found.alarm, last.alarm]
    assert (await verify_chain(play.admin, PLATFORM_SCOPE)).intact


async def scheduled(client):
    return {one.id async for one in await client.list_schedules()}


async def both_scheduled(client):
    return {CHAMPION_WATCH_ID, FEATURE_REPLAY_ID} <= await scheduled(client)
