"""The fault suite on a whole stack, in its short form; the exchange's own record is the judge."""

from collections.abc import Iterator

import pytest

from tests.faults import report
from tests.faults.life import Outcome
from tests.faults.outages import GAP
from tests.faults.runner import Runner, running
from tests.faults.short_form import TEN_LOST, ten_lost_replies, waves
from tests.support.free_ports import free_block

pytestmark = [pytest.mark.stack, pytest.mark.alone, pytest.mark.faults, pytest.mark.timeout(280)]

AWAY_SECONDS = 5.0
SHORT_STORIES = (GAP,)
"""An exchange that is killed and back at other prices; the long form plays the others too."""
WAVES = tuple(waves())
TOGETHER = [wave for wave in WAVES if any(script.strikes_all for script in wave)]
APART = [wave for wave in WAVES if wave not in TOGETHER]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """Bring up a stack of its own, in whose market nothing moves by itself."""
    with running(free_block(), None) as runner:
        yield runner


def words(outcomes: list[Outcome]) -> list[str]:
    """Return what is wrong with trades that were judged."""
    return [report.progress(outcome) for outcome in outcomes if outcome.failed]


def test_each_trade_struck_by_a_fault_of_its_own_is_as_the_exchange_has_it(runner) -> None:
    assert words(runner.play_apart(APART)) == []


@pytest.mark.parametrize("wave", TOGETHER, ids=lambda wave: wave[0].kind)
def test_struck_trade_is_neither_lost_nor_doubled_nor_left_unprotected(runner, wave) -> None:
    if why := runner.not_played.get(wave[0].kind):
        pytest.skip(f"{wave[0].kind} cannot be played here: {why}")
    assert words(runner.play(wave)) == []


def test_ten_replies_lost_in_a_row_leave_one_order_and_one_trade(runner) -> None:
    outcomes = runner.play(ten_lost_replies())
    assert words(outcomes) == []
    assert [outcome.hits["lost_after"] for outcome in outcomes] == [TEN_LOST] * len(outcomes)
    assert all(outcome.exit_reason == "requested" for outcome in outcomes)


@pytest.mark.parametrize("story", SHORT_STORIES)
def test_exchange_away_with_open_positions_leaves_both_sides_agreed(runner, story) -> None:
    found = runner.play_outage(story, AWAY_SECONDS)
    assert found.findings == []
    assert found.fills_meanwhile


def test_nothing_is_left_when_all_is_over(runner) -> None:
    assert runner.verify() == []
