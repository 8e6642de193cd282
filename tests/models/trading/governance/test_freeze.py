"""Change freezes: weekly windows, and what they hold back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.governance.freeze import freezes_at, tightens
from models.trading.governance.freeze_windows import DAYS, Freeze, window_at, window_problem
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.versions import ChangeRequest, decide_change, default_version

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
WEEKEND = "fri 20:00-mon 06:00"


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        (timedelta(days=4, hours=19, minutes=59), False),
        (timedelta(days=4, hours=20), True),
        (timedelta(days=6, hours=23), True),
        (timedelta(0), True),
        (timedelta(hours=5, minutes=59), True),
        (timedelta(hours=6), False),
    ],
)
def test_window_over_the_end_of_the_week_holds_until_its_end(at, holds):
    found = window_at(WEEKEND, MONDAY + at)
    assert (found is not None) is holds
    if found is not None:
        assert found.since <= MONDAY + at < found.until


@given(
    st.integers(0, 10_079),
    st.integers(0, 10_079),
    st.integers(0, 500_000),
)
def test_window_holds_for_its_length_of_every_week_and_no_longer(begins, ends, minutes):
    def text(minute):
        return f"{DAYS[minute // 1440]} {minute // 60 % 24:02}:{minute % 60:02}"

    window = f"{text(begins)}-{text(ends)}"
    if begins == ends:
        assert window_problem(window) is not None
        return
    at = MONDAY + timedelta(minutes=minutes)
    inside = (minutes - begins) % 10_080 < (ends - begins) % 10_080
    assert (window_at(window, at) is not None) is inside


@pytest.mark.parametrize("text", ["", "fri-mon", "fri 24:00-mon 06:00", "Fri 20:00-mon 06:00"])
def test_what_is_no_window_is_refused_as_a_setting_and_holds_where_it_stands(text):
    assert window_problem(text) is not None
    assert window_at(text, MONDAY) is not None
    current = default_version("platform", SettingScope.PLATFORM)
    wanted = ChangeRequest({"freeze.windows": [text]}, "user/1", "so", MONDAY, 0, confirmed=True)
    assert "invalid-setting" in {c.code for c in decide_change(current, wanted).verdict.failures}


def test_windows_take_a_second_person():
    current = default_version("platform", SettingScope.PLATFORM)
    wanted = ChangeRequest({"freeze.windows": [WEEKEND]}, "user/1", "so", MONDAY, 0, confirmed=True)
    assert decide_change(current, wanted).needs_person


def test_freezes_by_hand_come_first_and_windows_only_while_they_hold():
    by_hand = Freeze("an incident", MONDAY, None, 1, "user/1")
    assert freezes_at([by_hand], [WEEKEND], MONDAY + timedelta(days=2)) == (by_hand,)
    assert len(freezes_at([by_hand], [WEEKEND], MONDAY)) == 2
    assert freezes_at([], [], MONDAY) == ()


def test_only_what_is_known_to_tighten_tightens():
    current = default_version("account", SettingScope.ACCOUNT)

    def changes(**updates):
        named = {name.replace("__", "."): value for name, value in updates.items()}
        wanted = ChangeRequest(named, "user/1", "so", MONDAY, 0, confirmed=True)
        return decide_change(current, wanted).changes

    assert tightens(changes(risk__risk_share="0.001"))
    assert not tightens(changes(risk__risk_share="0.04"))
    assert not tightens(changes(risk__risk_share="0.001", execution__reprices="5"))
