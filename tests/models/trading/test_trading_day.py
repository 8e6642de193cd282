"""Days begin where the account's clocks say, once each, also when the clocks change."""

import itertools
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.trading_day import (
    DayRule,
    boundaries_between,
    day_of,
    day_start,
    next_boundary,
    zone_named,
)

ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC")
SAMOA = datetime(2011, 1, 1, tzinfo=UTC)


def rule(name: str, hour: int = 0, minute: int = 0) -> DayRule:
    assert zone_named(name) is not None
    return DayRule(name, time(hour, minute))


def test_unknown_zones_are_told() -> None:
    assert zone_named("Europe/Atlantis") is None
    assert zone_named("../etc/passwd") is None


@pytest.mark.parametrize(
    ("zone", "hour", "minute", "day", "begins"),
    [
        # Clocks go forward at 02:00: 02:30 does not exist, the day begins at 03:00 summer time.
        ("America/New_York", 2, 30, date(2026, 3, 8), datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        ("Europe/Berlin", 2, 30, date(2026, 3, 29), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        # Clocks go back: 01:30 (02:30 in Berlin) exists twice, the first one counts.
        ("America/New_York", 1, 30, date(2026, 11, 1), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("Europe/Berlin", 2, 30, date(2026, 10, 25), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        # Ordinary days beside them.
        ("America/New_York", 2, 30, date(2026, 3, 7), datetime(2026, 3, 7, 7, 30, tzinfo=UTC)),
        ("America/New_York", 2, 30, date(2026, 3, 9), datetime(2026, 3, 9, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_day_begins_after_the_gap_and_at_the_first_of_two(
    zone: str, hour: int, minute: int, day: date, begins: datetime
) -> None:
    assert day_start(rule(zone, hour, minute), day) == begins


@pytest.mark.parametrize(
    ("zone", "short", "long"),
    [
        ("America/New_York", date(2026, 3, 8), date(2026, 11, 1)),
        ("Europe/Berlin", date(2026, 3, 29), date(2026, 10, 25)),
    ],
)
def test_days_with_clock_changes_have_23_and_25_hours_and_are_closed_once(
    zone: str, short: date, long: date
) -> None:
    here = rule(zone)
    for day, hours in ((short, 23), (long, 25)):
        start, end = day_start(here, day), day_start(here, day + timedelta(days=1))
        assert end - start == timedelta(hours=hours)
        # Down from the day before until two days after: each boundary is found once.
        down, up = start - timedelta(hours=5), end + timedelta(hours=30)
        found = boundaries_between(here, down, up)
        assert [b.closes for b in found] == [day + timedelta(days=n) for n in (-1, 0, 1)]
        assert [b.opens for b in found] == [day + timedelta(days=n) for n in (0, 1, 2)]
        assert [b.at for b in found][:2] == [start, end]
        assert boundaries_between(here, found[-1].at, up) == ()


def test_an_instant_on_the_boundary_belongs_to_the_new_day() -> None:
    here = rule("Europe/Berlin", 17, 30)
    start = day_start(here, date(2026, 6, 2))
    assert day_of(here, start) == date(2026, 6, 2)
    assert next_boundary(here, start).at == start + timedelta(days=1)
    (found,) = boundaries_between(here, start - timedelta(seconds=1), start)
    assert (found.at, found.closes, found.opens) == (start, date(2026, 6, 1), date(2026, 6, 2))


@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (0, 15), (9, 30), (23, 45)])
def test_a_date_that_a_zone_skips_is_no_day(hour: int, minute: int) -> None:
    # Samoa went from 29 to 31 December 2011, at 10:00 UTC.
    here, starts = rule("Pacific/Apia", hour, minute), timedelta(hours=hour, minutes=minute)
    day_before = datetime(2011, 12, 29, 10, 0, tzinfo=UTC) + starts
    assert day_start(here, date(2011, 12, 29)) == day_before
    assert day_of(here, day_before + timedelta(hours=12)) == date(2011, 12, 29)
    boundary = next_boundary(here, day_before)
    assert (boundary.closes, boundary.opens) == (date(2011, 12, 29), date(2011, 12, 31))
    assert boundary.at == day_before + timedelta(days=1)


def test_a_day_that_begins_in_a_gap_over_midnight_is_not_skipped() -> None:
    # Cairo went, on Thursday evening at 24:00, an hour forward: 00:30 of Friday did not exist.
    here, friday = rule("Africa/Cairo", 0, 30), date(2023, 4, 28)
    assert day_start(here, friday) == datetime(2023, 4, 27, 22, 0, tzinfo=UTC)
    assert day_of(here, day_start(here, friday)) == friday


@given(
    st.sampled_from(ZONES),
    st.integers(0, 23),
    st.sampled_from((0, 15, 30)),
    st.integers(0, 19 * 365 * 86_400).map(lambda seconds: SAMOA + timedelta(seconds=seconds)),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_every_boundary_is_found_once_however_often_one_looks(
    zone: str, hour: int, minute: int, begin: datetime, hours: list[int]
) -> None:
    here, last, now = rule(zone, hour, minute), begin, begin
    found = []
    for step in hours:
        now += timedelta(hours=step)
        new = boundaries_between(here, last, now)
        last = new[-1].at if new else last
        found += new
    assert tuple(found) == boundaries_between(here, begin, now)
    for earlier, later in itertools.pairwise(found):
        assert earlier.opens == later.closes
        assert timedelta(hours=22) <= later.at - earlier.at <= timedelta(hours=26)
    for boundary in found:
        assert day_of(here, boundary.at) == boundary.opens
        assert day_of(here, boundary.at - timedelta(microseconds=1)) == boundary.closes
