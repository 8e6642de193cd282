"""JSON as Kraken writes it: decimals keep their digits, as numbers (WebSocket) or strings."""

import json
from decimal import Decimal
from typing import Any

import orjson


def dump(message: Any) -> bytes:
    """Serialise a frame or body once; a ``Decimal`` becomes a JSON number with its own digits."""
    return orjson.dumps(message, default=_digits)


def load(text: str | bytes) -> Any:
    """Parse JSON with decimals; ValueError when it is none."""
    return json.loads(text, parse_float=Decimal, parse_constant=_refuse)


def plain(number: Decimal) -> str:
    """Return a decimal without exponent."""
    return format(number, "f")


def fixed(number: Decimal, decimals: int) -> str:
    """Return a decimal with a fixed number of decimals."""
    return f"{number:.{decimals}f}"


def _digits(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} has no place on the wire")


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
