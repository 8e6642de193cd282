"""Who is told what and when: rules that hold for any person, channel and moment."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from models.trading.governance.notifications.notice import (
    LONGEST_KEY,
    PLATFORM,
    Notice,
    Severity,
    incident_key,
)
from models.trading.governance.notifications.routing import (
    ANY_EVENT,
    Channel,
    ChannelKind,
    Escalation,
    QuietHours,
    Recipient,
    routes,
)
from models.trading.governance.notifications.texts import (
    SMS_LENGTH,
    short_text_of,
    subject_of,
    text_of,
)
from models.trading.governance.rights import Grant, Role

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
NIGHT = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)


def a_notice(**changed) -> Notice:
    usual = {
        "occurrence": "record.company.7",
        "key": "halted.company",
        "event": "halted",
        "severity": Severity.WARNING,
        "scope": "company",
        "title": "The account was halted by hand",
        "detail": "by anna",
        "runbook": "",
        "at": NOON,
    }
    return Notice(**{**usual, **changed})


def a_person(name="anna", role=Role.DIRECTOR, scope="*", quiet=None, **channel) -> Recipient:
    usual = {"channel": f"c-{name}", "kind": ChannelKind.EMAIL, "address": f"{name}@example.org"}
    return Recipient(name, (Grant(role, scope),), (Channel(**{**usual, **channel}),), quiet)


def told(notice, people, now=NOON, level=0):
    return {route.user: route.wait for route in routes(notice, people, now, level=level)}


def test_nobody_hears_of_an_account_that_is_not_theirs():
    other = a_person("bert", scope="director-1")
    assert told(a_notice(), [a_person(), other]) == {"anna": timedelta(0)}
    assert told(a_notice(scope=PLATFORM), [other]) == {"bert": timedelta(0)}


def test_channel_takes_its_events_from_its_severity_on():
    assert told(a_notice(), [a_person(minimum=Severity.CRITICAL)]) == {}
    assert told(a_notice(), [a_person(events=("mode_set",))]) == {}
    assert told(a_notice(), [a_person(events=("mode_set", "halted"))]) != {}


def test_quiet_hours_delay_all_but_what_is_critical():
    quiet = QuietHours(time(22), time(7), "UTC")
    person = a_person(quiet=quiet)
    assert told(a_notice(), [person], NIGHT) == {"anna": timedelta(hours=7, minutes=30)}
    assert told(a_notice(severity=Severity.CRITICAL), [person], NIGHT) == {"anna": timedelta(0)}
    assert told(a_notice(), [person], NOON) == {"anna": timedelta(0)}


def test_unacknowledged_reaches_every_director_over_every_channel_and_nobody_else():
    people = [
        a_person(minimum=Severity.CRITICAL, events=("mode_set",)),
        a_person("otto", Role.OPERATOR),
        a_person("dora", scope="company"),
        a_person("emil", scope="director-1"),
    ]
    assert set(told(a_notice(severity=Severity.CRITICAL), people, level=1)) == {"anna", "dora"}


def test_message_for_some_people_reaches_only_them_whatever_they_have_chosen():
    people = [a_person(events=()), a_person("bert")]
    assert set(told(a_notice(recipients=("anna",)), people)) == {"anna"}


@given(
    some.times(),
    some.times(),
    some.timedeltas(timedelta(0), timedelta(days=365)).map(lambda span: NOON + span),
    some.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_wait_ends_outside_of_quiet_hours(begins, ends, now, zone):
    begins, ends = begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)
    quiet = QuietHours(begins, ends, zone)
    wait = quiet.wait(now)
    assert timedelta(0) <= wait <= timedelta(hours=25)
    if begins == ends:
        assert wait == timedelta(0)
    # An hour that the clocks skip or repeat may leave a rest, which is waited for again.
    rest = quiet.wait(now + wait)
    assert rest <= timedelta(hours=1)


def test_wait_across_the_change_of_the_clocks_ends_at_the_local_hour():
    quiet = QuietHours(time(22), time(7), "Europe/Berlin")
    before = datetime(2026, 3, 28, 22, tzinfo=UTC)  # 23:00 there; the clocks go forward at 2:00
    assert before + quiet.wait(before) == datetime(2026, 3, 29, 5, tzinfo=UTC)


@pytest.mark.parametrize("severity", [Severity.INFORMATION, Severity.WARNING])
def test_only_what_is_critical_is_escalated(severity):
    assert Escalation().due(severity, 0) is None


def test_escalation_ends():
    rules = Escalation(times=2)
    waits = [rules.due(Severity.CRITICAL, level) for level in range(4)]
    assert waits == [rules.after, rules.every, None, None]


@given(some.lists(some.text(max_size=300), max_size=4))
def test_key_is_bounded_and_its_own(parts):
    key = incident_key(*parts)
    assert len(key) <= LONGEST_KEY
    if len(".".join(parts)) > LONGEST_KEY:
        assert key != incident_key(*parts, "more")


def test_texts_say_what_where_and_what_to_do_and_bound_what_a_phone_shows():
    notice = a_notice(
        severity=Severity.CRITICAL, runbook="docs/runbooks/AetherDrawdownHalt.md", title="x" * 900
    )
    assert len(short_text_of(notice)) <= SMS_LENGTH
    assert "\n" not in subject_of(replace_title(notice, "a\nBcc: b"))
    whole = text_of(notice, "n-1", level=2, control_room="https://desk.test")
    assert "docs/runbooks/AetherDrawdownHalt.md" in whole
    assert "reminder 2" in subject_of(a_notice(), 2)
    assert "Acknowledge" in whole
    assert "detail" not in short_text_of(a_notice(detail="detail"))
    assert "See:" not in whole


def test_report_that_was_made_is_told_with_its_page():
    notice = a_notice(event="report_made", scope="the company", detail="figures: Trades 3")
    whole = text_of(notice, "n-1", control_room="https://desk.test/")
    assert "See: https://desk.test/accounts/the%20company/report" in whole
    assert "Trades 3" in whole


def replace_title(notice: Notice, title: str) -> Notice:
    return a_notice(title=title, severity=notice.severity)


def test_any_event_is_any():
    assert Channel("c", ChannelKind.SMS, "+1", events=(ANY_EVENT,)).takes(a_notice())
