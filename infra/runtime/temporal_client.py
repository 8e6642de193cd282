"""The one way to Temporal: a client with its converter and codec.

Apart from what only workers need: whoever merely asks or signals should not have to load that.
"""

from collections.abc import Sequence
from dataclasses import replace

from temporalio.client import Client
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.runtime import Runtime

from infra.runtime.codec import EncryptionCodec, PayloadKey
from infra.runtime.payload_converter import SharedPydanticPayloadConverter


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


async def connect(
    target: str, namespace: str, keys: Sequence[PayloadKey], runtime: Runtime | None = None
) -> Client:
    """Connect to Temporal; one client per process and event loop."""
    return await Client.connect(
        target, namespace=namespace, data_converter=data_converter(keys), runtime=runtime
    )
