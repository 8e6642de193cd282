"""Labels by stop, target and time, net of costs; the worst order inside a bar; absent bars."""

import numpy as np
import pytest

from models.learning.labels.exits import (
    STOPPED,
    TARGET,
    TIMED_OUT,
    UNRESOLVED,
    Exits,
    LabelError,
    label_entries,
)

FREE = Exits(stop=0.1, target=0.2, longest_bars=3, entry_cost=0, exit_cost=0)


def bars(*rows: tuple[float, float, float, float]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True))


FLAT = (100.0, 101.0, 99.0, 100.0)


def test_a_target_that_is_traded_through() -> None:
    found = label_entries(*bars(FLAT, FLAT, (100, 121, 100, 120)), FREE)
    assert found.outcome[0] == TARGET
    assert found.net[0] == pytest.approx(0.2)
    assert (found.entry[0], found.end[0]) == (1, 3)


def test_a_target_that_is_only_touched_is_not_filled() -> None:
    found = label_entries(*bars(FLAT, (100, 120, 100, 118), FLAT, FLAT), FREE)
    assert found.outcome[0] == TIMED_OUT
    assert found.net[0] == pytest.approx(0.0)


def test_the_stop_comes_first_and_a_gap_sells_at_the_open() -> None:
    both = label_entries(*bars(FLAT, (100, 130, 80, 100)), FREE)
    assert both.outcome[0] == STOPPED
    assert both.net[0] == pytest.approx(-0.1)
    gap = label_entries(*bars(FLAT, FLAT, (70, 75, 65, 70)), FREE)
    assert gap.net[0] == pytest.approx(-0.3)


def test_costs_are_paid_on_both_sides() -> None:
    dear = Exits(stop=0.1, target=0.2, longest_bars=1, entry_cost=0.008, exit_cost=0.008)
    found = label_entries(*bars(FLAT, FLAT), dear)
    assert found.net[0] == pytest.approx(0.992 / 1.008 - 1)


def test_what_has_not_ended_has_no_answer() -> None:
    found = label_entries(*bars(FLAT, FLAT), FREE)
    assert found.outcome.tolist() == [UNRESOLVED, UNRESOLVED]
    assert np.isnan(found.net).all()


def test_an_absent_bar_fills_nothing() -> None:
    absent = (np.nan,) * 4
    found = label_entries(*bars(FLAT, FLAT, absent, (100, 121, 100, 120)), FREE)
    assert found.outcome[0] == TARGET
    assert found.end[0] == 4
    no_entry = label_entries(*bars(FLAT, absent, FLAT, (100, 121, 100, 120)), FREE)
    assert no_entry.outcome[0] == UNRESOLVED


def test_no_answer_depends_on_what_follows_its_end() -> None:
    rng = np.random.default_rng(1)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, 300)))
    opens = np.concatenate([[100], closes[:-1]])
    highs, lows = np.maximum(opens, closes) * 1.01, np.minimum(opens, closes) * 0.99
    whole = label_entries(opens, highs, lows, closes, FREE)
    part = label_entries(opens[:200], highs[:200], lows[:200], closes[:200], FREE)
    known = part.outcome != UNRESOLVED
    assert known.sum() > 190
    assert (whole.net[:200][known] == part.net[known]).all()
    assert (part.end[known] <= 200).all()


@pytest.mark.parametrize("stop", [0.0, 1.0, np.nan, -0.1])
def test_impossible_exits_are_refused(stop: float) -> None:
    with pytest.raises(LabelError):
        Exits(stop=stop, target=0.2, longest_bars=3, entry_cost=0, exit_cost=0)
