"""The sandbox of the stories: in which context payloads stand, and which messages are refused.

For every payload of every turn the SDK enters the sandbox four times, each time compiling and
running source text, to learn in which context the payload is encoded and stored. The platform's
codec needs little of it, which the commands of the turns tell: it is kept outside the sandbox.

A story is given no message that is not authentic as exactly that message: one without an argument,
with another message's, or with one that the codec refused, and no old one and no copy
(``replayed_messages``). The SDK drops such a signal and rejects such an update, and the story goes
on. (Without an argument it would call the handler and fail the whole turn, again and again.)
"""

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import CommandType
from temporalio.bridge.proto.workflow_activation import DoUpdate, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import (
    ActivitySerializationContext,
    SerializationContext,
    StorageDriverStoreContext,
    WorkflowSerializationContext,
)
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

from infra.runtime.temporal.codec import KIND, REFUSED, MessageContext, signal_kind, update_kind
from infra.runtime.temporal.replayed_messages import ReplayGuard

NOWHERE = StorageDriverStoreContext(target=None)
START_CHILD = CommandType.COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION
SIGNAL = CommandType.COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION


def refuse_false_messages(act: WorkflowActivation, guard: ReplayGuard) -> None:
    """Put a refusal in place of arguments that were not sent as this very message, just now."""
    for job in act.jobs:
        if job.HasField("signal_workflow"):
            signal = job.signal_workflow
            problem = _false(signal_kind(signal.signal_name), signal.input)
            if problem is None and _is_sealed(signal.input):
                problem = guard.signal_problem(signal.input[0])
            _refuse(signal.input, signal_kind(signal.signal_name), problem)
        elif job.HasField("do_update"):
            update = job.do_update
            problem = _false(update_kind(update.name), update.input)
            if problem is None and _is_sealed(update.input):
                problem = _old(update, guard, act.timestamp.ToDatetime(UTC))
            _refuse(update.input, update_kind(update.name), problem)


def _false(kind: str, arguments: Sequence[Payload]) -> str | None:
    # Where no codec is in use, as in some tests, payloads have no kind at all.
    if len(arguments) == 1 and arguments[0].metadata.get(KIND, b"").decode() in ("", kind):
        return None
    found = ", ".join(each.metadata.get(KIND, b"?").decode() for each in arguments) or "nothing"
    return f"with the argument of {found}"


def _is_sealed(arguments: Sequence[Payload]) -> bool:
    return bool(arguments[0].metadata.get(KIND))


def _old(update: DoUpdate, guard: ReplayGuard, now: datetime) -> str | None:
    if not update.run_validator:  # a replay: the history says that it was taken
        guard.note_update(update.input[0])
        return None
    return guard.update_problem(update.input[0], now)


def _refuse(arguments: MutableSequence[Payload], kind: str, problem: str | None) -> None:
    if problem is not None:
        del arguments[:]
        words = f"{kind} was sent {problem}"
        metadata = {"encoding": REFUSED, KIND: REFUSED}
        arguments.append(Payload(metadata=metadata, data=words.encode()))


@dataclass
class _Contexts:
    """The contexts of one story's payloads: its own, its activities', and by command."""

    own: WorkflowSerializationContext
    activities: ActivitySerializationContext
    by_command: dict[tuple[int, int], MessageContext] = field(default_factory=dict)

    def learn(self, completion: WorkflowActivationCompletion) -> None:
        """Note whom the commands of a turn start or tell."""
        for command in completion.successful.commands:
            if command.HasField("start_child_workflow_execution"):
                child = command.start_child_workflow_execution
                to = MessageContext(self.own.namespace, child.workflow_id)
                self.by_command[START_CHILD, child.seq] = to
            elif command.HasField("signal_external_workflow_execution"):
                signal = command.signal_external_workflow_execution
                target = signal.child_workflow_id or signal.workflow_execution.workflow_id
                to = MessageContext(self.own.namespace, target, signal_kind(signal.signal_name))
                self.by_command[SIGNAL, signal.seq] = to

    def forget(self, act: WorkflowActivation) -> None:
        """Drop what has had its answer."""
        for job in act.jobs:
            if job.HasField("resolve_signal_external_workflow"):
                self.by_command.pop((SIGNAL, job.resolve_signal_external_workflow.seq), None)
            elif job.HasField("resolve_child_workflow_execution"):
                self.by_command.pop((START_CHILD, job.resolve_child_workflow_execution.seq), None)


class WorkflowInstanceInSandbox(WorkflowInstance):
    """One story in its sandbox."""

    def __init__(self, sandboxed: WorkflowInstance, info: Info) -> None:
        self._sandboxed = sandboxed
        self._guard = ReplayGuard(info.start_time)
        namespace, workflow_id = info.namespace, info.workflow_id
        self._contexts = _Contexts(
            WorkflowSerializationContext(namespace, workflow_id),
            ActivitySerializationContext(
                namespace=namespace,
                activity_id=None,
                activity_type=None,
                activity_task_queue=None,
                workflow_id=workflow_id,
                workflow_type=None,
                is_local=False,
            ),
        )

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Take one turn."""
        refuse_false_messages(act, self._guard)
        self._contexts.forget(act)
        completion = self._sandboxed.activate(act)
        self._contexts.learn(completion)
        return completion

    def get_serialization_context(self, command_info: CommandInfo | None) -> SerializationContext:
        """Return whose payload it is: the story's, its activity's, its child's or another's."""
        if command_info is None:
            return self._contexts.own
        if command_info.command_type == CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK:
            return self._contexts.activities
        place = (command_info.command_type, command_info.command_seq)
        return self._contexts.by_command.get(place, self._contexts.own)

    def get_external_store_context(
        self,
        command_info: CommandInfo | None,  # noqa: ARG002 named by the SDK
    ) -> StorageDriverStoreContext:
        """Return the empty context: no payload is stored outside its history."""
        return NOWHERE

    def get_info(self) -> Info:
        """Return what the story may know of its own run."""
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread that takes the present turn."""
        return self._sandboxed.get_thread_id()


class WorkflowRunner(SandboxedWorkflowRunner):
    """Runs stories in the SDK's sandbox."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a new story in a sandbox of its own."""
        return WorkflowInstanceInSandbox(super().create_instance(det), det.info)
