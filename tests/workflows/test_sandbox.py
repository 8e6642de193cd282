from dataclasses import replace
from uuid import uuid4

import pytest
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from infra.runtime.temporal.workers import PASSED_THROUGH, build_id, sandbox_runner
from tests.support.purity_story import PurityWorkflow


def whole_but_time_zones() -> SandboxRestrictions:
    """Of ZoneInfo three methods are forbidden, but datetime takes no proxy for a time zone."""
    whole = SandboxRestrictions.default
    members = whole.invalid_module_members
    children = {name: one for name, one in members.children.items() if name != "zoneinfo"}
    return replace(whole, invalid_module_members=replace(members, children=children))


async def test_domain_is_pure_in_the_whole_sandbox(client: Client) -> None:
    queue = f"purity-{uuid4().hex[:8]}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[PurityWorkflow],
        workflow_runner=SandboxedWorkflowRunner(restrictions=whole_but_time_zones()),
        workflow_failure_exception_types=[Exception],
        build_id=build_id(),
    ):
        result = await client.execute_workflow(
            PurityWorkflow.run, id=f"purity/{queue}", task_queue=queue
        )
    phase, _, placed = result.partition("/")
    assert phase in ("open", "exiting")
    assert int(placed) >= 1


def test_stories_themselves_stay_inside_the_sandbox() -> None:
    restrictions = sandbox_runner().restrictions
    names = (
        *("account.workflow", "account.hedge", "trade.workflow"),
        *("governance.kill_switch", "governance.approval", "governance.platform", "market.streams"),
    )
    stories = {f"workflows.{name}" for name in names}
    assert not stories & restrictions.passthrough_modules
    assert "workflows" not in PASSED_THROUGH


@pytest.mark.parametrize("name", PASSED_THROUGH)
def test_what_is_passed_through_exists(name: str) -> None:
    __import__(name)
