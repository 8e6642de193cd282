"""Pydantic JSON for Temporal payloads; what is learnt of a type is shared by the whole process."""

from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, EncodingPayloadConverter

_JSON = PydanticJSONPlainPayloadConverter()
"""Each workflow gets a payload converter of its own; with a cache of its own, too, each new trade
would build the validators of all its messages anew, milliseconds each, on the way to its stop."""


class RefusedPayloadError(ValueError):
    """What was received is not authentic."""


class RefusedPayloadConverter(EncodingPayloadConverter):
    """Reads nothing: it stands for the payloads that the codec refused."""

    @property
    def encoding(self) -> str:
        """Return the encoding that the codec gives to what it refuses."""
        return "aether/refused"

    def to_payload(self, value: Any) -> Payload | None:  # noqa: ARG002 named by the SDK
        """Return None: nothing is written so."""
        return None

    def from_payload(
        self,
        payload: Payload,
        type_hint: type | None = None,  # noqa: ARG002 named by the SDK
    ) -> Any:
        """Raise what the codec said.

        Raises:
            RefusedPayloadError: always.
        """
        raise RefusedPayloadError(payload.data.decode(errors="replace"))


class SharedPydanticPayloadConverter(PydanticPayloadConverter):
    """The SDK's pydantic converter whose validators outlive the single workflow."""

    def __init__(self) -> None:
        super().__init__()
        others = (c for c in self.converters.values() if c.encoding != _JSON.encoding)
        CompositePayloadConverter.__init__(self, RefusedPayloadConverter(), *others, _JSON)
