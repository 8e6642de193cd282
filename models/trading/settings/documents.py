"""The settings for machines and for people: a JSON schema for the API and forms, and a page."""

from collections.abc import Sequence
from decimal import Decimal

from models.trading.bounds import ITEMS, NAME_LENGTH
from models.trading.settings.catalogue import (
    Danger,
    SettingDefinition,
    SettingKind,
    SettingScope,
    plain,
)
from models.trading.settings.definitions import CATALOGUE

_DECIMAL: dict[str, object] = {
    "type": "string",
    "format": "decimal",
    "pattern": r"^(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$",
}
_SHARE_PATTERN = r"^(0(\.[0-9]{1,15})?|1(\.0{1,15})?)$"
_NAME: dict[str, object] = {
    "type": "string",
    "minLength": 1,
    "maxLength": NAME_LENGTH,
    "pattern": r"^[!-~]+$",
}

_TYPES: dict[SettingKind, dict[str, object]] = {
    SettingKind.SHARE: _DECIMAL,
    SettingKind.DECIMAL: _DECIMAL,
    SettingKind.MONEY: _DECIMAL,
    SettingKind.COUNT: {"type": "integer"},
    SettingKind.SECONDS: {"type": "integer"},
    SettingKind.FLAG: {"type": "boolean"},
    SettingKind.CHOICE: {"type": "string"},
    SettingKind.ZONE: {"type": "string", "format": "time-zone"},
    SettingKind.TIME: {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
    SettingKind.NAMES: {
        "type": "array",
        "items": _NAME,
        "uniqueItems": True,
        "maxItems": ITEMS,
    },
    SettingKind.SHARES: {
        "type": "object",
        "propertyNames": _NAME,
        "additionalProperties": _DECIMAL,
        "maxProperties": ITEMS,
    },
}

_DANGERS = {
    Danger.NONE: "",
    Danger.RAISING: "when raised",
    Danger.LOWERING: "when lowered",
    Danger.ANY: "always",
}


def definitions_of(scope: SettingScope) -> tuple[SettingDefinition, ...]:
    """Return the settings of one scope in the order of the catalogue."""
    return tuple(definition for definition in CATALOGUE if definition.scope is scope)


def json_schema(definitions: Sequence[SettingDefinition]) -> dict[str, object]:
    """Return a JSON schema (2020-12) of an object that may hold any of the settings.

    Decimals are text, as everywhere in the API; their range is in ``x-minimum`` and ``x-maximum``.
    ``x-unit`` and ``x-dangerous`` (``none``, ``raising``, ``lowering``, ``any``) serve forms.
    """
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {definition.name: _schema(definition) for definition in definitions},
    }


def markdown(definitions: Sequence[SettingDefinition]) -> str:
    """Return a table of the settings for people."""
    lines = [
        "| Setting | Unit | Range | Default | Dangerous | What it is |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{d.name}` | {d.shown_unit} | {_range(d)} | {_shown(plain(d, d.default))} "
        f"| {_DANGERS[d.danger]} | {d.description} |"
        for d in definitions
    ]
    return "\n".join(lines) + "\n"


def _schema(definition: SettingDefinition) -> dict[str, object]:
    schema: dict[str, object] = {
        **_TYPES[definition.kind],
        "description": definition.description,
        "default": plain(definition, definition.default),
        "x-unit": definition.shown_unit,
        "x-dangerous": definition.danger.value,
    }
    if schema.get("format") == "decimal" and definition.most == 1:
        schema["pattern"] = _SHARE_PATTERN
    if definition.choices:
        schema["enum"] = list(definition.choices)
    whole = definition.kind in (SettingKind.COUNT, SettingKind.SECONDS)
    for name, bound in (("minimum", definition.least), ("maximum", definition.most)):
        if bound is not None:
            key = name if whole else f"x-{name}"
            schema[key] = int(bound) if whole else format(bound, "f")
    return schema


def _range(definition: SettingDefinition) -> str:
    if definition.choices:
        return ", ".join(definition.choices)
    if definition.least is None or definition.most is None:
        return ""
    return f"{_number(definition.least)} to {_number(definition.most)}"


def _number(bound: Decimal) -> str:
    return format(bound, "f")


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return ", ".join(value) or "none"
    return str(value)
