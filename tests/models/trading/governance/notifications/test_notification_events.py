"""Rows of the record become notices: named actions, stable keys, ends that meet their beginning."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.trading.governance.notifications.events import (
    BY_ACTION,
    RECORD_EVENTS,
    RecordedAction,
    notices_of,
)
from models.trading.governance.notifications.notice import Severity
from models.trading.governance.record.actions import BY_CODE

ROOT = Path(__file__).parents[5]
AT = datetime(2026, 3, 4, tzinfo=UTC)


def a_row(action, sequence=1, correlation="", scope="company", **details) -> RecordedAction:
    return RecordedAction(scope, sequence, action, "anna", correlation, details, AT)


@pytest.mark.parametrize("event", RECORD_EVENTS, ids=lambda event: event.action)
def test_every_event_and_its_ends_are_actions_of_the_record(event):
    assert event.action in BY_CODE
    assert set(event.ended_by) <= set(BY_CODE)
    if event.runbook:
        assert (ROOT / "docs" / "runbooks" / f"{event.runbook}.md").is_file()


def test_each_action_is_told_once():
    assert len(BY_ACTION) == len(RECORD_EVENTS)


@pytest.mark.parametrize(
    "action",
    ["kill_switch_engaged", "drawdown_halted", "stop_refused", "witness_refused", "restored"],
)
def test_what_endangers_money_or_the_record_is_critical(action):
    assert BY_ACTION[action].severity is Severity.CRITICAL


def test_end_has_the_key_of_its_beginning_and_an_id_of_its_own():
    (begun,) = notices_of(a_row("stop_refused", 7, "trade/company/3"))
    (ended,) = notices_of(a_row("trade_protected", 8, "trade/company/3"))[:1]
    (other,) = notices_of(a_row("trade_protected", 9, "trade/company/4"))[:1]
    assert ended.resolves
    assert not begun.resolves
    assert begun.key == ended.key != other.key
    assert begun.occurrence != ended.occurrence


def test_kinds_of_halts_are_incidents_of_their_own():
    halts = [notices_of(a_row("entries_halted", 1, kind=kind))[0] for kind in ("a", "b")]
    assert halts[0].key != halts[1].key


def test_row_that_nobody_is_told_of_tells_nothing():
    assert notices_of(a_row("trade_entering")) == []


def test_details_come_with_who_and_what():
    (notice,) = notices_of(a_row("halted", reason="lunch"))
    assert "by anna" in notice.detail
    assert "reason: lunch" in notice.detail
