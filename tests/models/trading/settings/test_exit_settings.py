"""Exits in an account's settings: what could never take effect is refused when it is set."""

from dataclasses import replace
from decimal import Decimal

import pytest

from models.trading.account.decisions import decide
from models.trading.account.facts import EnterTrade
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.exits import ExitDefaults
from models.trading.settings.versions import (
    ChangeRequest,
    SettingsDecision,
    SettingsVersion,
    decide_change,
    default_version,
)
from tests.models.trading.account.test_account_decisions import an_idea
from tests.models.trading.trading_builders import START, an_account

DEFAULTS = default_version("company", SettingScope.ACCOUNT)
GAIN, OFFSET = "exits.break_even_gain", "exits.break_even_offset"


def change(current: SettingsVersion = DEFAULTS, **updates: str) -> SettingsDecision:
    values = {name.replace("__", "."): value for name, value in updates.items()}
    request = ChangeRequest(values, "Dora", "a reason", START, current.version, "Omar")
    return decide_change(current, request)


@pytest.mark.parametrize(
    "updates",
    [
        {GAIN: "0.02", OFFSET: "0.02"},
        {GAIN: "0.02", OFFSET: "0.03"},
        {OFFSET: "0.01"},
        {"exits.trailing_share": "1"},
    ],
)
def test_exits_that_never_take_effect_are_no_setting(updates: dict[str, str]) -> None:
    decision = change(**updates)
    assert decision.version is None
    assert [check.code for check in decision.verdict.failures] == ["invalid-setting"]


def test_exits_are_judged_together_with_what_is_in_force() -> None:
    made = change(**{GAIN: "0.02", OFFSET: "0.01"}).version
    assert made is not None
    assert change(made, **{OFFSET: "0.02"}).version is None
    assert change(made, **{GAIN: "0"}).version is None
    assert change(made, **{GAIN: "0", OFFSET: "0"}).version is not None


def test_exits_of_an_older_version_hold_up_no_other_setting() -> None:
    values = {**DEFAULTS.values, GAIN: Decimal("0.02"), OFFSET: Decimal("0.02")}
    old = replace(DEFAULTS, values=values)
    assert change(old, **{"risk.risk_share": "0.002"}).version is not None
    assert change(old, **{OFFSET: "0.01"}).version is not None


def test_an_entry_is_not_made_under_defaults_that_never_take_effect() -> None:
    never = ExitDefaults(break_even_gain=Decimal("0.02"), break_even_offset=Decimal("0.02"))
    decision = decide(replace(an_account(), exit_defaults=never), an_idea())
    assert not any(isinstance(command, EnterTrade) for command in decision.commands)
    assert "break-even-never" in repr(decision.commands)
