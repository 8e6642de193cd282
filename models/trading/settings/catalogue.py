"""What a setting is: one definition that serves validation, the API's schema and documentation.

The settings themselves are in ``definitions``, how they change in ``versions``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum

from models.trading.bounds import (
    ITEMS,
    NAME_LENGTH,
    OutOfBoundsError,
    bounded_number,
    check_plain,
    shown,
    text_problem,
)
from models.trading.trading_day import zone_named

Value = Decimal | int | bool | str | timedelta | tuple[str, ...] | tuple[tuple[str, Decimal], ...]
"""A setting's value: durations as timedelta, shares by name as sorted pairs."""


class SettingKind(StrEnum):
    """What kind of value a setting has, and the unit it is given in."""

    SHARE = "share"
    DECIMAL = "decimal"
    MONEY = "money"
    COUNT = "count"
    SECONDS = "seconds"
    FLAG = "flag"
    CHOICE = "choice"
    ZONE = "zone"
    TIME = "time"
    NAMES = "names"
    SHARES = "shares"


class SettingScope(StrEnum):
    """Whose setting it is."""

    ACCOUNT = "account"
    PLATFORM = "platform"


class Danger(StrEnum):
    """Which change of a setting lets more be lost, and needs to be confirmed."""

    NONE = "none"
    RAISING = "raising"
    LOWERING = "lowering"
    ANY = "any"


UNITS = {
    SettingKind.SHARE: "share (0.05 is five percent)",
    SettingKind.MONEY: "USD",
    SettingKind.COUNT: "number",
    SettingKind.SECONDS: "seconds",
    SettingKind.ZONE: "IANA time zone",
    SettingKind.TIME: "local time HH:MM",
    SettingKind.SHARES: "shares by name",
}

LARGEST_NUMBER = Decimal(10**15)

_NUMBERS = (SettingKind.SHARE, SettingKind.DECIMAL, SettingKind.MONEY)


@dataclass(frozen=True, slots=True)
class SettingDefinition:
    """One setting. ``least`` and ``most`` bound numbers, durations (in seconds) and each share."""

    name: str
    kind: SettingKind
    default: Value
    description: str
    danger: Danger = Danger.NONE
    least: Decimal | None = None
    most: Decimal | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    scope: SettingScope = SettingScope.ACCOUNT

    @property
    def shown_unit(self) -> str:
        """Return the unit for people."""
        return self.unit or UNITS.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class ReadValue:
    """A value that was read, or the problem why it could not be."""

    value: Value | None
    problem: str | None = None


def read_value(definition: SettingDefinition, raw: object) -> ReadValue:
    """Read a value as it comes from JSON, YAML or a form, and check it against its definition."""
    try:
        value = _parse(definition.kind, raw)
    except OutOfBoundsError as error:
        return ReadValue(None, f"{definition.name} {error}")
    except (TypeError, ValueError):
        kind = definition.kind.value
        return ReadValue(None, f"{definition.name} is no {kind}: {shown(raw)}")
    problem = _problem(definition, value)
    return ReadValue(None, f"{definition.name} {problem}") if problem else ReadValue(value)


def plain(definition: SettingDefinition, value: Value) -> object:
    """Return a value as JSON and YAML have it; numbers that are money or shares as text."""
    match value:
        case Decimal():
            return format(value, "f")
        case timedelta():
            return int(value.total_seconds())
        case tuple() if definition.kind is SettingKind.SHARES:
            return {row[0]: format(row[1], "f") for row in value if isinstance(row, tuple)}
        case tuple():
            return list(value)
        case _:
            return value


def _parse(kind: SettingKind, raw: object) -> Value:
    if kind is SettingKind.FLAG or isinstance(raw, bool):
        if kind is SettingKind.FLAG and isinstance(raw, bool):
            return raw
        raise ValueError(raw)
    if kind in _NUMBERS:
        return _number(raw)
    if kind in (SettingKind.COUNT, SettingKind.SECONDS):
        number = _number(raw)
        if number != int(number):
            raise ValueError(raw)
        return int(number) if kind is SettingKind.COUNT else timedelta(seconds=int(number))
    if kind is SettingKind.NAMES:
        return _names(raw)
    if kind is SettingKind.SHARES:
        return _shares(raw)
    if not isinstance(raw, str):
        raise TypeError(raw)
    problem = text_problem(raw, NAME_LENGTH)
    if problem is not None:
        raise OutOfBoundsError(problem)
    return raw


def _number(raw: object) -> Decimal:
    if isinstance(raw, timedelta):
        return Decimal(int(raw.total_seconds()))
    if not isinstance(raw, Decimal | int | str | float):
        raise TypeError(raw)
    number = bounded_number(raw)
    if abs(number) >= LARGEST_NUMBER:
        raise OutOfBoundsError(f"is not below {LARGEST_NUMBER}")
    return number


def _names(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list | tuple | set | frozenset):
        raise TypeError(raw)
    check_plain(raw)
    names = tuple(raw)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(raw)
    for name in names:
        _check_name(name)
    return tuple(sorted(set(names)))


def _check_name(name: str) -> None:
    problem = text_problem(name, NAME_LENGTH, least=1)
    if problem is not None:
        raise OutOfBoundsError(f"has a name that {problem}")
    if not name.strip():
        raise OutOfBoundsError("has a name of nothing but spaces")


def _shares(raw: object) -> tuple[tuple[str, Decimal], ...]:
    if isinstance(raw, tuple) and all(isinstance(row, tuple) and len(row) == 2 for row in raw):
        raw = dict(raw)
    if not isinstance(raw, Mapping) or not all(isinstance(name, str) for name in raw):
        raise ValueError(raw)
    if len(raw) > ITEMS:
        raise OutOfBoundsError(f"has {len(raw)} shares, at most {ITEMS} are allowed")
    for name in raw:
        _check_name(name)
    return tuple(sorted((name, _number(share)) for name, share in raw.items()))


def _problem(definition: SettingDefinition, value: Value) -> str | None:
    kind = definition.kind
    if kind is SettingKind.CHOICE and value not in definition.choices:
        return f"is one of {', '.join(definition.choices)}"
    if kind is SettingKind.ZONE and zone_named(str(value)) is None:
        return f"is no known time zone: {value}"
    if kind is SettingKind.TIME and not _is_time(str(value)):
        return f"is no time of day: {value}"
    for number in _figures(value):
        if definition.least is not None and number < definition.least:
            return f"is {number}, at least {definition.least} is allowed"
        if definition.most is not None and number > definition.most:
            return f"is {number}, at most {definition.most} is allowed"
    return None


def _figures(value: Value) -> list[Decimal]:
    if isinstance(value, tuple):
        return [row[1] for row in value if isinstance(row, tuple)]
    if isinstance(value, timedelta):
        return [Decimal(int(value.total_seconds()))]
    is_number = isinstance(value, Decimal | int) and not isinstance(value, bool)
    return [Decimal(value)] if is_number and isinstance(value, Decimal | int) else []


def _is_time(text: str) -> bool:
    try:
        return time.fromisoformat(text).tzinfo is None and len(text) == 5
    except ValueError:
        return False
