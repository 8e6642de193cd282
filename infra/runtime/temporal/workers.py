"""What the workers of Temporal share: the sandbox of their stories, their options and metrics."""

import hashlib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker
from temporalio.worker._workflow_instance import _WorkflowLogicFlag
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from infra.runtime.temporal.sandbox import WorkflowRunner

PASSED_THROUGH = (
    "models",
    "activities",
    "workflows.account.steps",
    "workflows.account.inbox",
    "workflows.governance.approval_steps",
    "workflows.account.capital_steps",
    "workflows.entity",
    "workflows.account.hedge_steps",
    "workflows.identities",
    "workflows.account.mode_steps",
    "workflows.trade.order_steps",
    "workflows.trade.review",
    "workflows.trade.inbox",
    "workflows.trade.record",
)
"""Modules shared with the stories instead of imported anew for each: types keep their identity and
a workflow starts in milliseconds. Their purity is held by lint, contracts and a test."""

LATENCY_BUCKETS_SECONDS = [
    0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10
]  # fmt: skip


LATENCY_METRICS = (
    "temporal_activity_schedule_to_start_latency",
    "temporal_activity_execution_latency",
    "temporal_workflow_task_schedule_to_start_latency",
    "temporal_workflow_task_execution_latency",
    "temporal_request_latency",
)


def sandbox_runner() -> SandboxedWorkflowRunner:
    """Return the runner that worker, replayer and tests share."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    policy = (
        SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
        | SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
    return WorkflowRunner(restrictions=restrictions.with_import_notification_policy(policy))


def metered_runtime(port: int) -> Runtime:
    """Return a runtime that serves the SDK's metrics on a loopback port, named as documented."""
    metrics = PrometheusConfig(
        bind_address=f"127.0.0.1:{port}",
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=dict.fromkeys(LATENCY_METRICS, LATENCY_BUCKETS_SECONDS),
    )
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


def take_turns_whole(worker: Worker) -> Worker:
    """Have a worker apply all that came with a turn before any story reacts to any of it.

    When a story moves to another worker right after a turn without commands, the SDK merges that
    turn with the next, but not when it replays them later. By default a request is dealt with
    before what arrived earlier in such a turn, so the replay goes another way and the story is
    stuck for ever (temporalio/sdk-rust#1146, temporalio/sdk-python#1591). Taken as a whole both
    come to the same. The SDK knows the setting and writes it into each history; its default will
    change once older workers are gone, which the platform never had.
    """
    flag = _WorkflowLogicFlag.PROCESS_WORKFLOW_ACTIVATION_JOBS_AS_SINGLE_BATCH
    worker._set_default_workflow_logic_flag(flag, enabled=True)  # noqa: SLF001
    return worker


@cache
def build_id() -> str:
    """Return a digest of the code that decides, by which Temporal tells one build from another.

    The SDK's own is of the bytecode of every module that is loaded, libraries too: reading all of
    it again takes longer than everything else that a worker's start needs.
    """
    root, digest = Path(__file__).parents[3], hashlib.sha256()
    for package in ("workflows", "models", "activities"):
        for file in sorted((root / package).rglob("*.py")):
            digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


class WorkerOptions(TypedDict):
    """Options that every worker of the platform shares."""

    build_id: str
    workflow_runner: SandboxedWorkflowRunner
    sticky_queue_schedule_to_start_timeout: timedelta
    max_heartbeat_throttle_interval: timedelta
    default_heartbeat_throttle_interval: timedelta
    graceful_shutdown_timeout: timedelta
    max_cached_workflows: int
    max_concurrent_workflow_tasks: int
    max_concurrent_activities: int


def worker_options(**changed: Any) -> WorkerOptions:
    """Return the options of every worker, with some of them changed (tests do).

    The sticky timeout bounds how long a task waits for a worker that was killed; with the cache
    larger than the number of open workflows no decision pays for a replay.
    """
    options = WorkerOptions(
        build_id=build_id(),
        workflow_runner=sandbox_runner(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
        max_heartbeat_throttle_interval=timedelta(milliseconds=500),
        default_heartbeat_throttle_interval=timedelta(milliseconds=500),
        graceful_shutdown_timeout=timedelta(seconds=3),
        max_cached_workflows=2_000,
        max_concurrent_workflow_tasks=50,
        max_concurrent_activities=200,
    )
    options.update(changed)  # type: ignore[typeddict-item]
    return options
