"""The exits that an account's settings give each trade, and whether they can ever take effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from models.trading.exits.changes import judge_effect
from models.trading.exits.distances import Exits
from models.trading.exits.rules import ExitRules
from models.trading.settings.catalogue import Value
from models.trading.verdicts import Check

ZERO = Decimal(0)
PREFIX = "exits."
_NOWHERE = Exits(ZERO, None, None)


@dataclass(frozen=True, slots=True)
class ExitDefaults:
    """What the exits of a trade are where nothing else was said; None: not used."""

    trailing_share: Decimal | None = None
    trailing_multiple: Decimal | None = None
    hold_maximum: timedelta | None = None
    break_even_gain: Decimal | None = None
    break_even_offset: Decimal = ZERO


def exit_defaults_of(values: Mapping[str, Value]) -> ExitDefaults:
    """Read the defaults from the values of a version."""
    found: dict[str, Any] = {
        name.removeprefix(PREFIX): value
        for name, value in values.items()
        if name.startswith(PREFIX)
    }
    offset = found.pop("break_even_offset")
    return ExitDefaults(
        **{name: value or None for name, value in found.items()}, break_even_offset=offset
    )


def rules_with(defaults: ExitDefaults, exits: Exits) -> ExitRules:
    """Return a trade's exits: its own stop, target and distance, the rest from the defaults."""
    return ExitRules(
        stop_price=exits.stop_price,
        take_profit_price=exits.take_profit_price,
        trailing_share=defaults.trailing_share,
        trailing_multiple=defaults.trailing_multiple,
        hold_maximum=defaults.hold_maximum,
        break_even_gain=defaults.break_even_gain,
        break_even_offset=defaults.break_even_offset,
        trailing_distance=exits.trailing_distance,
    )


def problems_of_exits(values: Mapping[str, Value]) -> tuple[Check, ...]:
    """Return why the exits of a version of settings could never take effect; no market is known."""
    return judge_effect(rules_with(exit_defaults_of(values), _NOWHERE)).failures
