"""One-time codes by the vectors of their standards, tokens, sessions, throttling, passwords."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.governance.passwords import content_problem, context_words, length_problem
from models.trading.governance.sessions import SessionTimes, Standing, ended
from models.trading.governance.step_up import canonical, challenge
from models.trading.governance.throttling import (
    FACTOR_LIMITS,
    PASSWORD_LIMITS,
    wait_before,
    worth_keeping,
)
from models.trading.governance.tokens import is_token, token_text, tokens_in
from models.trading.governance.totp import accepted_step, code_at, time_step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIGITS = b"1234567890"


def seed(length):
    return (DIGITS * 7)[:length]


def test_hotp_gives_the_codes_of_rfc_4226_appendix_d():
    codes = [
        "755224",
        "287082",
        "359152",
        "969429",
        "338314",
        "254676",
        "287922",
        "162583",
        "399871",
        "520489",
    ]
    assert [code_at(seed(20), counter) for counter in range(10)] == codes


@pytest.mark.parametrize(
    ("seconds", "sha1", "sha256", "sha512"),
    [
        (59, "94287082", "46119246", "90693936"),
        (1111111109, "07081804", "68084774", "25091201"),
        (1111111111, "14050471", "67062674", "99943326"),
        (1234567890, "89005924", "91819424", "93441116"),
        (2000000000, "69279037", "90698825", "38618901"),
        (20000000000, "65353130", "77737706", "47863826"),
    ],
)
def test_totp_gives_the_codes_of_rfc_6238_appendix_b(seconds, sha1, sha256, sha512):
    step = time_step(datetime.fromtimestamp(seconds, UTC))
    for length, algorithm, code in (
        (20, hashlib.sha1, sha1),
        (32, hashlib.sha256, sha256),
        (64, hashlib.sha512, sha512),
    ):
        assert code_at(seed(length), step, digits=8, algorithm=algorithm) == code


def test_a_time_step_is_accepted_once_and_no_earlier_one_after_it():
    secret, step = seed(20), time_step(NOW)
    code = code_at(secret, step)
    assert accepted_step(secret, code, NOW, None) == step
    assert accepted_step(secret, code, NOW, step) is None
    assert accepted_step(secret, code_at(secret, step - 1), NOW, step) is None
    assert accepted_step(secret, code_at(secret, step + 1), NOW, step) == step + 1
    assert accepted_step(secret, code_at(secret, step + 2), NOW, None) is None
    assert accepted_step(secret, code_at(secret, step - 2), NOW, None) is None
    assert accepted_step(secret, "", NOW, None) is None


@given(st.binary(min_size=32, max_size=32), st.integers(0, 48))
def test_a_token_has_its_form_and_one_wrong_letter_is_seen(random, at):
    token = token_text(random)
    assert len(token) == len("aether_pat_") + 43 + 6
    assert is_token(token)
    assert tokens_in(f"leaked: {token}, and {token}.") == [token]
    place = len("aether_pat_") + at
    other = "a" if token[place] != "a" else "b"
    assert not is_token(token[:place] + other + token[place + 1 :])


def session(opened, used, standing=Standing.FULL, revoked=None):
    return SessionTimes(standing, NOW - opened, NOW - used, None if revoked is None else NOW)


def test_a_session_ends_idle_absolutely_or_revoked_at_the_boundary():
    minute, second = timedelta(minutes=1), timedelta(seconds=1)
    assert ended(session(11 * 60 * minute, 29 * minute), NOW) is None
    assert ended(session(60 * minute, 30 * minute), NOW) == "idle"
    assert ended(session(60 * minute, 30 * minute - second), NOW) is None
    assert ended(session(12 * 60 * minute, minute), NOW) == "expired"
    assert ended(session(12 * 60 * minute - second, minute), NOW) is None
    assert ended(session(10 * minute, minute, Standing.PENDING), NOW) == "expired"
    assert ended(session(minute, minute, revoked=True), NOW) == "revoked"


def failures(count, spacing=timedelta(0)):
    return [NOW - spacing * number for number in range(count)]


def test_ten_failed_passwords_in_five_minutes_wait_until_the_oldest_is_old():
    assert wait_before(failures(9), NOW, PASSWORD_LIMITS) is None
    assert wait_before(failures(10), NOW, PASSWORD_LIMITS) == timedelta(minutes=5)
    spread = failures(10, timedelta(seconds=20))
    assert wait_before(spread, NOW, PASSWORD_LIMITS) == timedelta(seconds=300 - 180)
    assert wait_before(failures(10, timedelta(seconds=34)), NOW, PASSWORD_LIMITS) is None


def test_five_failed_factors_in_five_minutes_and_twenty_in_an_hour_wait():
    assert wait_before(failures(4), NOW, FACTOR_LIMITS) is None
    assert wait_before(failures(5), NOW, FACTOR_LIMITS) == timedelta(minutes=5)
    slow = failures(20, timedelta(seconds=100))
    assert wait_before(slow, NOW, FACTOR_LIMITS) == timedelta(minutes=60) - timedelta(seconds=1900)


@given(st.lists(st.integers(0, 8000), max_size=60))
def test_nobody_waits_for_ever_and_what_is_dropped_never_counts(ages):
    seen = [NOW - timedelta(seconds=age) for age in ages]
    wait = wait_before(seen, NOW, FACTOR_LIMITS)
    assert wait is None or timedelta(0) < wait <= timedelta(hours=1)
    assert wait_before(seen, NOW + (wait or timedelta(0)), FACTOR_LIMITS) is None
    kept = worth_keeping(seen, NOW, FACTOR_LIMITS)
    assert len(kept) <= 20
    assert wait_before(kept, NOW, FACTOR_LIMITS) == wait


def test_passwords_are_long_and_not_made_of_what_is_known():
    assert length_problem("x" * 14) is not None
    assert length_problem("x" * 15) is None
    assert length_problem("x" * 128) is None
    assert length_problem("x" * 129) is not None
    words = context_words("ada.lovelace", "Ada Lovelace")
    assert content_problem("lovelace-aether-kraken", 1e30, words) is not None
    assert content_problem("passwordpassword", 1e30, words) is not None
    assert content_problem("orbit velvet cactus lantern", 1e30, words) is None
    assert content_problem("orbit velvet cactus lantern", 1e9, words) is not None


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.none(), max_size=4))
def test_what_is_confirmed_cannot_be_read_as_something_else(content):
    base = challenge("approve", "1", content, "n")
    assert len(base) == 32
    assert challenge("approve", "1", dict(reversed(content.items())), "n") == base
    assert challenge("approve", "1", content | {"zzzzzz": "y"}, "n") != base
    assert challenge("approve1", "", content, "n") != base
    assert challenge("approve", "1", content, "m") != base
    assert canonical(content) == canonical(dict(reversed(content.items())))
