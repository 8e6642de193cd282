"""Texts and numbers from outside: what can be kept passes, the rest is refused before any use."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.account.capacity import (
    BUDGET,
    LIMIT,
    Capacity,
    refuse_growth,
    remembered_answer,
    state_to_carry,
)
from models.trading.account.decisions import decide
from models.trading.account.facts import HaltRequested, OpenRequested, SettingsChangeRequested
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.bounds import (
    DIGITS,
    EXPONENT,
    OutOfBoundsError,
    bounded_number,
    check_plain,
    cleaned_text,
    shown,
    text_problem,
)
from models.trading.message_bounds import check_fact, check_request, weight_of, with_clean_texts
from models.trading.orders import OrderType
from models.trading.settings.catalogue import plain, read_value
from models.trading.settings.definitions import BY_NAME

AT = datetime(2026, 1, 2, tzinfo=UTC)
ACCOUNT = AccountState("company", "installation")


def change(updates, **more):
    text = updates if isinstance(updates, str) else json.dumps(updates)
    return SettingsChangeRequested("r-1", "anna", text, "for the test", AT, **more)


@given(st.text(max_size=60))
def test_text_that_passes_can_be_stored_and_one_that_does_not_is_made_so(text):
    if text_problem(text, 60) is None:
        assert "\x00" not in text
        text.encode()
    cleaned = cleaned_text(text, 40)
    assert text_problem(cleaned, 40) is None
    cleaned.encode()


@pytest.mark.parametrize(
    "text", ["nul\x00", "half \ud800", "line\nbreak", "\x7f", "\x85", "x" * 501]
)
def test_text_that_cannot_be_kept_has_a_problem(text):
    assert text_problem(text)


@given(st.decimals() | st.floats() | st.integers() | st.text(max_size=30))
def test_number_that_passes_has_a_short_plain_form(raw):
    try:
        number = bounded_number(raw)
    except OutOfBoundsError:
        return
    assert number.is_finite()
    assert len(format(number, "f")) <= DIGITS + 2 * EXPONENT + 2


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10, max_value=10**12))
def test_usual_number_passes_unchanged(number):
    if number > -(10**12):
        assert bounded_number(format(number, "f")) == number


@pytest.mark.parametrize(
    "raw",
    [
        *("1e-999999", "1e-60000000", "1e999999", "0e-999999", "NaN", "Infinity", "1" * 65),
        *("1_000", "\N{ARABIC-INDIC DIGIT THREE}", True, None, [], 10**400),
        *(Decimal("1E-999999"), Decimal("sNaN"), float("inf")),
    ],
)
def test_number_that_would_be_long_is_refused_at_once(raw):
    began = time.perf_counter()
    with pytest.raises(OutOfBoundsError):
        bounded_number(raw)
    assert time.perf_counter() - began < 0.1
    assert len(shown(raw)) <= 80


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("risk.risk_share", "1e-999999"),
        ("risk.risk_share", Decimal("1e-60000000")),
        ("portfolio.orders_maximum", "1e999999"),
        ("compliance.sanctioned", [f"COIN{n}" for n in range(100_000)]),
        ("compliance.sanctioned", ["NUL\x00"]),
        ("compliance.sanctioned", ["\ud800"]),
        ("compliance.sanctioned", ["x" * 65]),
        ("allocation.fixed", {"trend\x00": "0.5"}),
        ("allocation.fixed", {f"s{n}": "0.0001" for n in range(501)}),
        ("allocation.fixed", {"trend": "1e-999999"}),
        ("day.zone", "UTC\x00"),
        ("day.zone", "\ud800"),
        ("day.zone", "x" * 100_000),
        ("day.starts_at", "00:0\x00"),
        ("hedge.mode", "x" * 100_000),
    ],
)
def test_setting_that_cannot_be_kept_is_refused_in_few_words(name, raw):
    read = read_value(BY_NAME[name], raw)
    assert read.value is None
    assert read.problem is not None
    assert len(read.problem) < 400
    assert text_problem(read.problem) is None


@given(
    st.sampled_from(sorted(BY_NAME)),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.decimals().map(str)
        | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=8,
    ),
)
def test_whatever_setting_is_accepted_is_short_when_written_down(name, raw):
    read = read_value(BY_NAME[name], raw)
    if read.value is None:
        assert read.problem is not None
        assert text_problem(read.problem, 1000) is None
    else:
        written = json.dumps(plain(BY_NAME[name], read.value))
        assert len(written) < 1000
        assert "\\u0000" not in written


def test_refused_change_leaves_little_behind():
    state = ACCOUNT
    before = weight_of(state)
    for number in range(200):
        fact = replace(change({"x" * 64_000: 1}), request_id=f"r-{number}")
        decided = decide(state, fact)
        assert decided.answer is not None
        assert decided.answer.code == "invalid-setting"
        state = decided.state
    assert weight_of(state) - before < 200 * 800


@pytest.mark.parametrize(
    "updates", ["[" * 60_000, "9" * 5000, '{"a": ' * 20_000, "{", "[]", "null"]
)
def test_updates_that_cannot_be_read_are_refused(updates):
    answer = decide(ACCOUNT, change(updates)).answer
    assert answer is not None
    assert answer.code == "invalid-setting"


def test_more_changes_than_there_are_settings_are_refused_whole():
    updates = {f"no.setting{number}": 1 for number in range(5000)}
    answer = decide(ACCOUNT, change(updates)).answer
    assert answer is not None
    assert answer.code == "invalid-setting"
    assert len(answer.detail) < 200


@pytest.mark.parametrize(
    "request_",
    [
        HaltRequested("r", "anna", "nul\x00", AT),
        HaltRequested("r", "anna", "x" * 501, AT),
        HaltRequested("r", "anna", "\ud800", AT),
        HaltRequested("", "anna", "calm", AT),
        HaltRequested("x" * 201, "anna", "calm", AT),
        HaltRequested("r", "a" * 201, "calm", AT),
        change("x" * 64_001),
        OpenRequested("r", "anna", "BTC/USD", OrderType.MARKET, Decimal("1e-999999"), None, AT),
        OpenRequested("r", "anna", "B\x00", OrderType.MARKET, Decimal(1), None, AT),
    ],
)
def test_request_out_of_bounds_is_refused_before_it_is_kept(request_):
    with pytest.raises(OutOfBoundsError) as refused:
        check_request(request_)
    assert len(str(refused.value)) < 200


def test_usual_requests_and_facts_pass():
    check_request(HaltRequested("anna/key-1", "anna", "looks wrong \N{EN DASH} halt", AT))
    check_request(change({"risk.risk_share": "0.004"}))
    check_fact(ACCOUNT)


def test_fact_with_odd_text_is_heard_with_its_text_cleaned():
    told = with_clean_texts(HaltRequested("r", "anna", "nul\x00 " + "x" * 5000, AT))
    check_fact(told)
    assert told.reason.startswith("nul\N{REPLACEMENT CHARACTER} xxx")
    assert told.at == AT


def test_account_without_room_refuses_what_grows_and_obeys_what_stops():
    room = Capacity(budget=10)
    grows, stops = change({"risk.risk_share": "0.004"}), HaltRequested("h", "anna", "calm", AT)
    assert not room.has_room(ACCOUNT, grows)
    assert room.has_room(ACCOUNT, stops)
    refused = refuse_growth(ACCOUNT, grows)
    assert refused.state == ACCOUNT
    assert refused.answer is not None
    assert refused.answer.code == "account-full"
    assert Capacity().has_room(ACCOUNT, grows)


def test_state_too_heavy_for_the_next_run_leaves_answers_behind():
    answers = tuple(Answer(f"r-{n}", "accepted", "x" * 10_000) for n in range(200))
    heavy = replace(ACCOUNT, recent_answers=answers, recent_requests=("a", "kill-switch/1/lifted"))
    assert weight_of(heavy) > LIMIT > BUDGET
    carried, left_behind = state_to_carry(heavy)
    assert left_behind
    assert weight_of(carried) < BUDGET
    assert carried.recent_requests == heavy.recent_requests
    assert state_to_carry(ACCOUNT) == (ACCOUNT, False)
    assert len(remembered_answer(answers[0]).detail) == 1000


def test_weight_is_near_and_never_below_the_payload():
    from pydantic import TypeAdapter

    written = len(TypeAdapter(AccountState).dump_json(ACCOUNT))
    assert written <= weight_of(ACCOUNT) < 2 * written


@pytest.mark.parametrize(
    "value", [{"a": "\x00"}, {"\x00": 1}, {"a": "x" * 501}, list(range(501)), {1: 2}]
)
def test_plain_value_out_of_bounds_is_refused(value):
    with pytest.raises(OutOfBoundsError):
        check_plain(value)


def test_plain_value_nested_too_deep_is_refused():
    value: object = 1
    for _ in range(300):
        value = [value]
    with pytest.raises(OutOfBoundsError):
        check_plain(value)
