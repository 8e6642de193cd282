"""The one way to Temporal: a client with its converter and codec.

Apart from what only workers need: whoever merely asks or signals should not have to load that.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowUpdateHandle,
)
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.runtime import Runtime
from temporalio.service import TLSConfig

from infra.runtime.temporal.busy_workflows import repeat_soon_when_busy
from infra.runtime.temporal.codec import (
    EncryptionCodec,
    PayloadKey,
    sending,
    signal_kind,
    update_kind,
)
from infra.runtime.temporal.payload_converter import SharedPydanticPayloadConverter


def data_converter(keys: Sequence[PayloadKey]) -> DataConverter:
    """Return the converter: pydantic JSON, encrypted when keys are given, failures included."""
    converter = DataConverter(payload_converter_class=SharedPydanticPayloadConverter)
    if not keys:
        return converter
    return replace(
        converter,
        payload_codec=EncryptionCodec(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


class _Sending(OutboundInterceptor):
    """Has the codec bind each message to its name: the SDK tells it the workflow only."""

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:  # noqa: A002 the SDK's
        """Send a signal."""
        with sending(signal_kind(input.signal)):
            await super().signal_workflow(input)

    async def start_workflow_update(
        self,
        input: StartWorkflowUpdateInput,  # noqa: A002 the SDK's name
    ) -> WorkflowUpdateHandle[Any]:
        """Send an update."""
        with sending(update_kind(input.update)):
            return await super().start_workflow_update(input)


class NamedMessages(Interceptor):
    """Binds each message that a client sends to its name."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Return the interceptor of one client."""
        return _Sending(next)


async def connect(
    target: str,
    namespace: str,
    keys: Sequence[PayloadKey],
    runtime: Runtime | None = None,
    *,
    tls: TLSConfig | None,
) -> Client:
    """Connect to Temporal; one client per process and event loop.

    Args:
        target: host and port.
        namespace: namespace of all that the client does.
        keys: keys of the payload codec, the one that encrypts first; none: in the clear.
        runtime: the SDK's runtime, with its metrics.
        tls: credentials (:mod:`infra.runtime.temporal.access`); None where none are asked for.
    """
    client = await Client.connect(
        target,
        namespace=namespace,
        data_converter=data_converter(keys),
        runtime=runtime,
        interceptors=[NamedMessages()],
        tls=tls or False,
    )
    return repeat_soon_when_busy(client)
