"""The sandbox of the stories, without what only context-aware converters and storage pay for.

For every payload of every turn the SDK enters the sandbox four times, each time compiling and
running source text, to learn in which context the payload is encoded and stored. The platform's
converter and codec use no such context and payloads are not stored elsewhere: nobody would read it.
"""

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker._command_aware_visitor import CommandInfo
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import Info

NOWHERE = StorageDriverStoreContext(target=None)


class StoryInstance(WorkflowInstance):
    """One story in its sandbox; asked for a context it answers that there is none."""

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Take one turn."""
        return self._sandboxed.activate(act)

    def get_serialization_context(
        self,
        command_info: CommandInfo | None,  # noqa: ARG002 named by the SDK
    ) -> SerializationContext | None:
        """Return None: payloads are encoded alike wherever they stand."""
        return None

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


class StoryRunner(SandboxedWorkflowRunner):
    """Runs stories in the SDK's sandbox."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a new story in a sandbox of its own."""
        return StoryInstance(super().create_instance(det))
