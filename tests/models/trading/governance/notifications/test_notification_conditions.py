"""Figures beyond their bounds are told once when they begin and once when they end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.adapters.notify.figures import ApiFigures, samples_of
from activities.notifications.conditions import ConditionWatch
from models.trading.governance.notifications.conditions import CONDITIONS, Sample, changes

ROOT = Path(__file__).parents[5]
AT = datetime(2026, 3, 4, tzinfo=UTC)
BARE = "aether_trade_unprotected_current_seconds"


def bare(seconds: float, account: str = "company") -> Sample:
    return Sample(BARE, account, seconds)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.figure)
def test_every_figure_is_documented_and_every_runbook_is_there(condition):
    assert f"`{condition.figure}`" in (ROOT / "docs" / "metrics.md").read_text()
    if condition.runbook:
        assert (ROOT / "docs" / "runbooks" / f"{condition.runbook}.md").is_file()


def test_what_begins_and_ends_is_told_once_each_with_the_same_key():
    told, state = [], {}
    for step, seconds in enumerate((0.0, 3.0, 6.0, 9.0, 0.0, 0.0)):
        found, state = changes([bare(seconds)], state, AT + timedelta(seconds=step))
        told += found
    first, begun, over = told
    assert [one.resolves for one in told] == [True, False, True]  # the first ends what was before
    assert begun.key == over.key == first.key
    assert len({one.occurrence for one in told}) == 3
    assert begun.scope == "company"


def test_accounts_are_incidents_of_their_own():
    told, _ = changes([bare(9, "a"), bare(9, "b")], {}, AT)
    assert len({one.key for one in told}) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_figure_that_is_missing_neither_begins_nor_ends_anything(value):
    _, state = changes([bare(9)], {}, AT)
    for samples in ([bare(value)], []):
        assert changes(samples, state, AT) == ([], state)


async def test_what_could_not_be_told_is_told_at_the_next_look():
    told = []

    async def read():
        return samples_of(f'{BARE}{{account="company"}} 7.0\naether_other 1.0\n')

    async def begin(notice) -> None:
        told.append(notice)
        if len(told) == 1:
            raise ConnectionError("away")

    watch = ConditionWatch(read, begin, lambda: AT)
    with pytest.raises(ConnectionError):
        await watch.look()
    await watch.look()
    await watch.look()
    assert [one.title for one in told] == ["A position has no stop"] * 2


async def test_api_that_does_not_answer_is_an_error_and_no_end():
    with pytest.raises(OSError, match="figures"):
        await ApiFigures("http://127.0.0.1:9")()
