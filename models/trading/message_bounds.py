"""The bounds of messages between our own parts, and the size of what a workflow carries.

Whoever reaches Temporal may send a workflow anything that has the right types. Everything that a
workflow is told or asked is held to these bounds before anything of it is calculated with or kept,
and what it carries from run to run is weighed, for Temporal ends a workflow whose state is too big.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final, TypeVar

from models.trading.bounds import (
    DEPTH,
    LARGEST_INTEGER,
    NAME_LENGTH,
    REQUEST_ID_LENGTH,
    TEXT_LENGTH,
    OutOfBoundsError,
    cleaned_text,
    number_problem,
    text_problem,
)

Message = TypeVar("Message")

DOCUMENT_LENGTH: Final = 64_000
"""Longest text of the fields that hold a whole version of the settings."""
FACT_TEXT_LENGTH: Final = 4_000
"""Longest text in what our own parts tell: reasons made of many."""
ITEMS: Final = 100_000
"""Most values of any kind in one message: pairs, fees and balances of a whole exchange."""
DIGITS: Final = 60
"""Digits of numbers that our own arithmetic has made: 28 each, and exact sums and products."""
EXPONENT: Final = 60

_DOCUMENTS: Final = frozenset({"updates", "values"})
_SHORT: Final = frozenset({"request_id", "by"})
_MOMENT_SIZE: Final = 34
_LEAVES: Final = frozenset({str, Decimal, int, bool, float, datetime, type(None)})
_PLAIN_SIZE: Final = 24
_USUAL_DIGITS: Final = 40


def check_request(request: object) -> None:
    """Hold what a person or program asks of a workflow to the bounds of callers' texts.

    Raises:
        OutOfBoundsError: names the field and what is wrong with it, never the value itself.
    """
    request_id = getattr(request, "request_id", None)
    if request_id is not None and not request_id:
        raise OutOfBoundsError(f"a request needs an id of at most {REQUEST_ID_LENGTH} characters")
    _Walk(TEXT_LENGTH).go("", request, 0)


def check_fact(fact: object) -> None:
    """Hold what a workflow is told to the bounds of messages.

    Raises:
        OutOfBoundsError: names the field and what is wrong with it, never the value itself.
    """
    _Walk(FACT_TEXT_LENGTH).go("", fact, 0)


def weight_of(carried: object) -> int:
    """Return about how many bytes a value takes as JSON, rather too many than too few."""
    walk = _Walk(None)
    walk.go("", carried, 0)
    return walk.size


def with_clean_texts(message: Message) -> Message:
    """Return a message whose texts can be kept; what else is wrong with it stays so."""
    cleaned: Message = _cleaned("", message)
    return cleaned


class _Walk:
    """One pass over a message: adds sizes up and, unless ``longest`` is None, checks each value."""

    def __init__(self, longest: int | None) -> None:
        self._longest = longest
        self._items = 0
        self.size = 0

    def go(self, name: str, value: object, depth: int) -> None:
        self._items += 1
        if self._longest is not None and (self._items > ITEMS or depth > DEPTH):
            raise OutOfBoundsError(f"the message is deeper than {DEPTH} or larger than {ITEMS}")
        if type(value) in _LEAVES:
            self._leaf(name, value)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.go(name, key, depth + 1)
                self.go(name, item, depth + 1)
        elif isinstance(value, list | tuple | set | frozenset):
            for item in value:
                self.go(name, item, depth + 1)
        elif is_dataclass(value) and not isinstance(value, type):
            for field in _names(type(value)):
                self.size += len(field) + 4
                self.go(field, getattr(value, field), depth + 1)
        else:
            self._leaf(name, value)

    def _leaf(self, name: str, value: object) -> None:
        if isinstance(value, str):
            self._text(name, value)
        elif isinstance(value, Decimal):
            self._number(name, value)
        elif isinstance(value, int) and not isinstance(value, bool):
            self._integer(name, value)
        else:
            is_moment = isinstance(value, datetime | date | time | timedelta)
            self.size += _MOMENT_SIZE if is_moment else _PLAIN_SIZE

    def _text(self, name: str, value: str) -> None:
        plain = value.isascii()
        self.size += (len(value) if plain else 4 * len(value)) + 4
        usual = plain and len(value) <= NAME_LENGTH and value.isprintable()
        if self._longest is not None and not usual:
            self._refuse(name, text_problem(value, _longest(name, self._longest)))

    def _number(self, name: str, value: Decimal) -> None:
        # As JSON has it: short even where the plain form is long. Most need no closer look.
        text = str(value)
        self.size += len(text) + 4
        usual = len(text) <= _USUAL_DIGITS and "E" not in text and text[-1].isdigit()
        if self._longest is not None and not usual:
            self._refuse(name, number_problem(value, DIGITS, EXPONENT))

    def _integer(self, name: str, value: int) -> None:
        self.size += value.bit_length() // 3 + 4
        if self._longest is not None and abs(value) > LARGEST_INTEGER:
            self._refuse(name, "is an integer too large to be kept")

    def _refuse(self, name: str, problem: str | None) -> None:
        if problem is not None:
            raise OutOfBoundsError(f"{name or 'the message'} {problem}")


def _longest(name: str, usual: int) -> int:
    if name in _DOCUMENTS:
        return DOCUMENT_LENGTH
    return REQUEST_ID_LENGTH if name in _SHORT else usual


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _cleaned(name: str, value: Any) -> Any:
    if isinstance(value, str) and type(value) is str:
        return cleaned_text(value, _longest(name, FACT_TEXT_LENGTH))
    if isinstance(value, Mapping):
        return {_cleaned(name, key): _cleaned(name, item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_cleaned(name, item) for item in value)
    if isinstance(value, list):
        return [_cleaned(name, item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        named = {field: _cleaned(field, getattr(value, field)) for field in _names(type(value))}
        return replace(value, **named)
    return value
