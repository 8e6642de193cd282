"""Pydantic JSON for Temporal payloads; what is learnt of a type is shared by the whole process."""

from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter, PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter

_JSON = PydanticJSONPlainPayloadConverter()
"""Each workflow gets a payload converter of its own; with a cache of its own, too, each new trade
would build the validators of all its messages anew, milliseconds each, on the way to its stop."""


class SharedPydanticPayloadConverter(PydanticPayloadConverter):
    """The SDK's pydantic converter whose validators outlive the single workflow."""

    def __init__(self) -> None:
        super().__init__()
        others = (c for c in self.converters.values() if c.encoding != _JSON.encoding)
        CompositePayloadConverter.__init__(self, *others, _JSON)
