"""Cool-downs: asked seldom while the exchange refuses, one try at a time, kept over restarts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.kraken.limits.cool_down import ADDRESS_SCOPES, KEY_SCOPES, CoolDown
from activities.adapters.kraken.limits.cool_down_rules import RULES, rule_for
from activities.ports.exchange_errors import (
    CoolingDownError,
    CredentialsError,
    ExchangeUnavailableError,
    OrderRejectedError,
)

LOCKOUT = "EGeneral:Temporary lockout"
LOCKOUT_SECONDS = 900.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def refusal(raw: str = LOCKOUT) -> CredentialsError:
    return CredentialsError(raw, raw)


def send(rest: CoolDown, failure: Exception | None, method: str = "OpenOrders") -> bool:
    """Send one request if it may be; return whether it was sent."""
    try:
        tried = rest.enter(method)
    except CoolingDownError:
        return False
    rest.leave(method, tried, failure)
    return True


def protect(rest: CoolDown, failure: Exception | None) -> bool:
    """Send a stop if it may be sent; return whether it was."""
    try:
        tried = rest.enter("AddOrder", urgent=True)
    except CoolingDownError:
        return False
    rest.leave("AddOrder", tried, failure)
    return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def sent_at(clock: Clock, rest: CoolDown, seconds: float, failure: Exception | None) -> list[float]:
    """Try each quarter of a second, as many callers do, and return when a request was sent."""
    began, sent = clock.now, []
    while clock.now - began < seconds:
        if send(rest, failure):
            sent.append(clock.now - began)
        clock.now += 0.25
    return sent


def test_a_lockout_is_asked_about_seldom_and_ever_less(clock):
    sent = sent_at(clock, CoolDown(clock=clock), 4 * 3600, refusal())
    pauses = [after - before for before, after in pairwise(sent)]
    assert len([at for at in sent if at < 70]) <= 3
    assert pauses[0] >= 30
    assert all(later >= earlier for earlier, later in pairwise(pauses))
    assert pauses[-1] > LOCKOUT_SECONDS


def test_a_lockout_that_each_question_begins_anew_ends_all_the_same(clock):
    rest, locked_until, asked = CoolDown(clock=clock), clock.now + LOCKOUT_SECONDS, 0
    for _ in range(4 * 3600):
        locked = clock.now < locked_until
        if send(rest, refusal() if locked else None):
            if not locked:
                break
            asked, locked_until = asked + 1, clock.now + LOCKOUT_SECONDS
        clock.now += 1
    assert rest.in_force() == ()
    assert asked <= 8


def test_an_answer_to_the_try_ends_it_and_the_next_one_begins_short(clock):
    rest = CoolDown(clock=clock)
    assert send(rest, refusal())
    clock.now += 30
    assert send(rest, refusal())
    clock.now += 60
    assert send(rest, None)
    assert rest.in_force() == ()
    assert send(rest, refusal())
    assert rest.in_force()[0].seconds == 30


def test_one_request_tries_while_the_others_wait(clock):
    rest = CoolDown(clock=clock)
    send(rest, refusal())
    clock.now += 30
    tried = rest.enter("OpenOrders")
    with pytest.raises(CoolingDownError):
        rest.enter("AddOrder")
    rest.leave("OpenOrders", tried, None)
    rest.enter("AddOrder")


def test_requests_sent_beside_each_other_count_once(clock):
    rest = CoolDown(clock=clock)
    admitted = [rest.enter("OpenOrders") for _ in range(5)]
    for tried in admitted:
        rest.leave("OpenOrders", tried, refusal())
    assert rest.in_force()[0].seconds == 30


def test_an_answer_of_a_request_sent_before_does_not_end_it(clock):
    rest = CoolDown(clock=clock)
    earlier = rest.enter("OpenOrders")
    send(rest, refusal())
    rest.leave("OpenOrders", earlier, None)
    assert not send(rest, None)


def test_a_lost_try_proves_nothing_and_is_repeated_soon(clock):
    rest = CoolDown(clock=clock)
    send(rest, refusal())
    clock.now += 30
    assert send(rest, ExchangeUnavailableError("timed out"))
    assert not send(rest, None)
    clock.now += 1
    assert send(rest, None)
    assert rest.in_force() == ()


def test_a_definite_refusal_of_an_order_is_an_answer(clock):
    rest = CoolDown(clock=clock)
    send(rest, refusal())
    clock.now += 30
    funds = "EOrder:Insufficient funds"
    assert send(rest, OrderRejectedError(funds, funds))
    assert rest.in_force() == ()


def test_it_is_kept_over_a_restart_with_its_rung(clock, tmp_path):
    path = tmp_path / "key.cooldown"
    first = CoolDown(path, clock)
    send(first, refusal())
    clock.now += 30
    send(first, refusal())
    again = CoolDown(path, clock)
    assert [one.seconds for one in again.in_force()] == [60]
    assert not send(again, None)
    clock.now += 60
    assert send(again, None)
    assert CoolDown(path, clock).in_force() == ()


@given(content=st.binary(max_size=80))
def test_what_cannot_be_read_hinders_nobody(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("cool") / "key.cooldown"
    path.write_bytes(content)
    assert send(CoolDown(path, Clock()), None)


def test_a_clock_that_was_set_back_does_not_make_the_pause_longer(clock):
    rest = CoolDown(clock=clock)
    send(rest, refusal())
    clock.now -= 86_400
    with pytest.raises(CoolingDownError) as refused:
        rest.enter("OpenOrders")
    assert refused.value.retry_after_seconds <= 30


def test_throttled_until_its_time(clock):
    rest = CoolDown(clock=clock)
    send(rest, refusal(f"EService: Throttled: {clock.now + 12:.0f}"))
    clock.now += 11
    assert not send(rest, None)
    clock.now += 1
    assert send(rest, None)


def test_a_missing_permission_concerns_its_method_alone(clock):
    rest = CoolDown(clock=clock)
    send(rest, refusal("EGeneral:Permission denied"), "Ledgers")
    assert not send(rest, None, "Ledgers")
    assert send(rest, None, "AddOrder")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_is_kept_in_one_place_and_ends(rule, clock):
    rests = CoolDown(clock=clock, scopes=KEY_SCOPES), CoolDown(clock=clock, scopes=ADDRESS_SCOPES)
    raw = f"{rule.prefixes[0]}:more"
    for rest in rests:
        rest.leave("Balance", (), refusal(raw), signed=rule.signed)
    kept = [one for rest in rests for one in rest.in_force()]
    assert [one.kind for one in kept] == [rule.name]
    assert 0 < rule.first <= kept[0].seconds <= rule.longest < 1000


def test_what_the_budgets_wait_for_is_no_cool_down():
    for raw in ("EAPI:Rate limit exceeded", "EOrder:Rate limit exceeded", "EService:Busy", ""):
        assert rule_for(raw, signed=True) is None


GUESSES = [rule for rule in RULES if rule.is_guess]


@pytest.mark.parametrize("rule", GUESSES, ids=lambda rule: rule.name)
def test_a_stop_waits_two_seconds_at_most_for_a_pause_that_is_our_guess(rule, clock):
    rest, refused = CoolDown(clock=clock), refusal(rule.prefixes[0])
    for _ in range(6):
        assert send(rest, refused)
        clock.now += rule.longest
    assert send(rest, refused)
    clock.now += 2.1
    assert not send(rest, None)
    assert protect(rest, None)
    assert send(rest, None), "the answer to the stop has ended it for everybody"


@pytest.mark.parametrize("rule", GUESSES, ids=lambda rule: rule.name)
def test_a_stop_that_is_refused_again_waits_two_seconds_again(rule, clock):
    rest, refused, sent = CoolDown(clock=clock), refusal(rule.prefixes[0]), 0
    for _ in range(240):
        sent += protect(rest, refused)
        clock.now += 0.25
    assert 25 <= sent <= 40


@pytest.mark.parametrize("rule", GUESSES, ids=lambda rule: rule.name)
def test_a_stop_does_not_wait_for_a_try_that_hangs(rule, clock):
    rest = CoolDown(clock=clock)
    send(rest, refusal(rule.prefixes[0]))
    clock.now += rule.longest
    rest.enter("OpenOrders")
    assert not protect(rest, None)
    clock.now += 1.1
    assert not send(rest, None)
    assert protect(rest, None)


@pytest.mark.parametrize("rule", [one for one in RULES if not one.is_guess], ids=lambda r: r.name)
def test_a_stop_waits_where_the_exchange_has_said_so(rule, clock):
    rest, refused = CoolDown(clock=clock), refusal(rule.prefixes[0])
    tried = rest.enter("AddOrder", signed=rule.signed, urgent=True)
    rest.leave("AddOrder", tried, refused, signed=rule.signed)
    clock.now += rule.first - 0.1
    with pytest.raises(CoolingDownError):
        rest.enter("AddOrder", signed=rule.signed, urgent=True)
