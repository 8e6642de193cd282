"""The schedules that close days: in the account's zone, also where a local time does not exist."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy

from activities.adapters.temporal.day_schedules import TemporalDaySchedules, day_schedule
from models.contracts.names import daily_reset_workflow_id
from models.trading.trading_day import DayRule, next_boundary
from tests.support.temporal import eventually


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("America/New_York", "2028-03-12"),
        ("America/New_York", "2028-11-05"),
        ("Europe/Zurich", "2028-03-26"),
        ("Europe/Zurich", "2028-10-29"),
    ],
)
@pytest.mark.parametrize("starts_at", [time(0), time(2, 30)])
async def test_a_run_comes_within_the_hour_after_each_boundary(
    client: Client, zone: str, changes: str, starts_at: time
) -> None:
    rule = DayRule(zone, starts_at)
    begin = datetime.fromisoformat(changes).replace(tzinfo=ZoneInfo(zone)) - timedelta(days=1)
    name = f"days-{uuid4().hex[:8]}"
    schedule = day_schedule(name, rule)
    schedule.spec = replace(schedule.spec, start_at=begin)
    handle = await client.create_schedule(name, schedule)
    runs = (await handle.describe()).info.next_action_times
    await handle.delete()
    boundary = begin.astimezone(UTC)
    for _ in range(3):
        boundary = next_boundary(rule, boundary).at
        late = min(run - boundary for run in runs if run >= boundary)
        assert late <= timedelta(hours=1)
    existing = [run for run in runs if run.astimezone(rule.zone).time() == starts_at]
    assert existing, "runs are at the boundary itself wherever it exists"


async def test_schedule_follows_a_changed_rule_and_is_kept_once(client: Client) -> None:
    account = f"account-{uuid4().hex[:8]}"
    schedules = TemporalDaySchedules(client)
    for zone in ("America/New_York", "Europe/Zurich", "Europe/Zurich"):
        await schedules.keep(account, DayRule(zone, time(17)))
    handle = client.get_schedule_handle(daily_reset_workflow_id(account))

    async def is_in_zurich() -> bool:
        runs = (await handle.describe()).info.next_action_times
        hours = {run.astimezone(ZoneInfo("Europe/Zurich")).hour for run in runs}
        return hours == {17, 18}

    await eventually(is_in_zurich, "the schedule follows")
    policy = (await handle.describe()).schedule.policy
    assert policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE
    assert policy.catchup_window == timedelta(days=1)
    assert not policy.pause_on_failure
    await handle.delete()
