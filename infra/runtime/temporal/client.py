"""The one way to Temporal: a client with its converter and codec.

Apart from what only workers need: whoever merely asks or signals should not have to load that.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
)
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.runtime import Runtime
from temporalio.service import TLSConfig

from infra.runtime.temporal.busy_workflows import repeat_soon_when_busy
from infra.runtime.temporal.codec import (
    EncryptionCodec,
    KeyRing,
    PayloadKey,
    sending,
    signal_kind,
    update_kind,
)
from infra.runtime.temporal.payload_converter import SharedPydanticPayloadConverter
from infra.runtime.temporal.replayed_messages import BEGAN_LATER

SEAL_AGAIN_SECONDS = (0.05, 0.5, 2.0)
"""Pauses before an update is sealed anew; the last ones for clocks that are not quite the same."""


def data_converter(keys: Sequence[PayloadKey] | KeyRing) -> DataConverter:
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
        """Send an update; once more, sealed anew, where it met the change to a new run."""
        for pause in SEAL_AGAIN_SECONDS:
            handle = await self._sent(input)
            if not await _began_later(handle):
                return handle
            await asyncio.sleep(pause)
        return await self._sent(input)

    async def _sent(self, update: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        with sending(update_kind(update.update)):
            return await super().start_workflow_update(update)


async def _began_later(handle: WorkflowUpdateHandle[Any]) -> bool:
    """Tell whether an update was refused because its workflow's run is younger than its seal."""
    outcome = handle._known_outcome  # noqa: SLF001 - asking for the result might wait for it
    if outcome is None or not outcome.HasField("failure"):
        return False
    try:
        await handle.result()
    except WorkflowUpdateFailedError as error:
        return BEGAN_LATER in _words(error)
    return False


def _words(error: BaseException | None) -> str:
    return "" if error is None else f"{error} {_words(error.__cause__)}"


class NamedMessages(Interceptor):
    """Binds each message that a client sends to its name."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Return the interceptor of one client."""
        return _Sending(next)


async def connect(
    target: str,
    namespace: str,
    keys: Sequence[PayloadKey] | KeyRing,
    runtime: Runtime | None = None,
    *,
    tls: TLSConfig | None,
    interceptors: Sequence[Interceptor] = (),
) -> Client:
    """Connect to Temporal; one client per process and event loop.

    Args:
        target: host and port.
        namespace: namespace of all that the client does.
        keys: keys of the payload codec, the one that encrypts first; none: in the clear.
        runtime: the SDK's runtime, with its metrics.
        tls: credentials (:mod:`infra.runtime.temporal.access`); None where none are asked for.
        interceptors: further ones; those of workers too are in all workers of the client.
    """
    client = await Client.connect(
        target,
        namespace=namespace,
        data_converter=data_converter(keys),
        runtime=runtime,
        interceptors=[NamedMessages(), *interceptors],
        tls=tls or False,
    )
    return repeat_soon_when_busy(client)
