"""Entries are refused while positions wait for their stops, and taken again only after a calm."""

from hypothesis import given
from hypothesis import strategies as st

from models.trading.risk.protection_backlog import (
    ACCOUNT_LIMIT_SECONDS,
    CALM_SECONDS,
    PLATFORM_LIMIT_POSITIONS,
    PLATFORM_LIMIT_SECONDS,
    ProtectionBacklog,
    WaitingPosition,
    next_backlog,
)

ACCOUNTS = ("company", "director-1", "director-2")


def some(count, seconds, account="company"):
    return [WaitingPosition(account, number, seconds) for number in range(1, count + 1)]


def test_one_late_position_refuses_its_own_account_only():
    backlog = next_backlog(ProtectionBacklog(), some(1, ACCOUNT_LIMIT_SECONDS + 0.1), 0)
    assert "trade 1" in backlog.refusal("company")
    assert backlog.refusal("director-1") is None
    assert not backlog.overloaded


def test_several_queued_positions_refuse_all_accounts():
    waiting = some(PLATFORM_LIMIT_POSITIONS, PLATFORM_LIMIT_SECONDS + 0.1)
    backlog = next_backlog(ProtectionBacklog(), waiting, 0)
    assert backlog.overloaded
    assert all("3 positions wait" in backlog.refusal(account) for account in ACCOUNTS)
    assert not next_backlog(ProtectionBacklog(), waiting[1:], 0).overloaded


def test_entries_are_taken_again_only_after_a_calm():
    backlog = next_backlog(ProtectionBacklog(), some(5, 3.0), 0)
    backlog = next_backlog(backlog, [], 1)
    assert backlog.overloaded
    backlog = next_backlog(backlog, some(1, 0.8), 3)  # not calm: counts from the beginning
    backlog = next_backlog(backlog, [], 4)
    assert next_backlog(backlog, [], 4 + CALM_SECONDS - 0.1).overloaded
    assert not next_backlog(backlog, [], 4 + CALM_SECONDS).overloaded


waiting_positions = st.lists(
    st.builds(
        WaitingPosition,
        st.sampled_from(ACCOUNTS),
        st.integers(1, 9),
        st.floats(0, 30, allow_nan=False),
    ),
    max_size=6,
)


@given(st.lists(st.tuples(waiting_positions, st.floats(0.01, 5)), min_size=1, max_size=12))
def test_no_entry_is_taken_where_the_account_or_the_platform_is_late(readings):
    backlog, now = ProtectionBacklog(), 0.0
    last_late = None
    for waiting, pause in readings:
        now += pause
        backlog = next_backlog(backlog, waiting, now)
        queued = [p for p in waiting if p.seconds > PLATFORM_LIMIT_SECONDS]
        if len(queued) >= PLATFORM_LIMIT_POSITIONS:
            last_late = now
        late = {p.account for p in waiting if p.seconds > ACCOUNT_LIMIT_SECONDS}
        for account in ACCOUNTS:
            refused = backlog.refusal(account) is not None
            assert refused or account not in late
            assert refused or last_late is None or now - last_late >= CALM_SECONDS
            assert not refused or account in late or last_late is not None
