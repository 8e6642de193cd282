"""Recorded messages changed the way an API changes over the years."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import orjson
from hypothesis import strategies as st

NUMBERS = ["0", "1e-30", "-1", "1E+3", "123456789012345678.000000001", "1e400"]
WORDS = ["a_word_of_tomorrow", "", "TOMORROW/USD", "XTMRWZUSD", "true"]


def unknown() -> Any:
    return {"deep": [1, {"of": "tomorrow"}], "when": None}


def is_map(value: Any) -> bool:
    """Tell whether an object is a map of rows by id, where another field would be another row."""
    return isinstance(value, dict) and all(isinstance(row, dict) for row in value.values())


def places(message: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to everything inside a message."""
    inside: list[tuple[Any, ...]] = [path]
    if isinstance(message, dict):
        for key, value in message.items():
            inside += places(value, (*path, key))
    elif isinstance(message, list):
        for index, value in enumerate(message):
            inside += places(value, (*path, index))
    return inside


def at(message: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        message = message[step]
    return message


def is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal | float) and not isinstance(value, bool)


@st.composite
def grown(draw: st.DrawFn, message: Any) -> Any:
    """Return a message that says the same: unknown fields at some levels, numbers as text."""
    changed = deepcopy(message)
    rows = [path for path in places(changed) if isinstance(at(changed, path), dict)]
    objects = [path for path in rows if not is_map(at(changed, path))]
    for path in draw(st.lists(st.sampled_from(objects), max_size=6)) if objects else []:
        at(changed, path)["a_field_of_tomorrow"] = unknown()
    prices = [path for path in places(changed) if path and isinstance(at(changed, path), Decimal)]
    for path in draw(st.lists(st.sampled_from(prices), max_size=6)) if prices else []:
        value = at(changed, path)
        at(changed, path[:-1])[path[-1]] = f"{value:f}" if is_number(value) else value
    return changed


@st.composite
def evolved(draw: st.DrawFn, message: Any, within: tuple[Any, ...] = ()) -> Any:
    """Return a message with a few changes of any kind below a path."""
    changed = deepcopy(message)
    for _ in range(draw(st.integers(1, 4))):
        inside = [p for p in places(changed) if len(p) > len(within) and p[: len(within)] == within]
        if not inside:
            break
        path = draw(st.sampled_from(inside))
        parent, last = at(changed, path[:-1]), path[-1]
        kind = draw(st.sampled_from(["drop", "null", "number", "word", "empty", "grow", "type"]))
        if kind == "drop":
            del parent[last]
        elif kind == "null":
            parent[last] = None
        elif kind == "number":
            number = draw(st.sampled_from(NUMBERS))
            parent[last] = Decimal(number) if draw(st.booleans()) else number
        elif kind == "word":
            parent[last] = draw(st.sampled_from(WORDS))
        elif kind == "empty":
            parent[last] = draw(st.sampled_from([[], {}, "", 0]))
        elif kind == "type":
            parent[last] = [parent[last]]
        elif isinstance(parent[last], dict):
            parent[last]["a_field_of_tomorrow"] = unknown()
    return changed


def frame(message: Any) -> bytes:
    """Return a message as the wire shows it: numbers as they were written."""
    marked = orjson.dumps(message, default=lambda number: f"<<{number}>>")
    return marked.replace(b'"<<', b"").replace(b'>>"', b"")
