"""Every table over Kraken's error strings is held to one list: ``error_strings.KNOWN``."""

import pytest

from activities.adapters.kraken import errors, pair_rules
from activities.adapters.kraken.limits import availability
from activities.adapters.kraken.limits.cool_down_rules import RULES, rule_for
from activities.adapters.kraken.pair_rules import smells_of_stale_rules
from models.trading.refusals.kinds import TABLE, refusal_class
from tests.activities.adapters.kraken.error_strings import KNOWN, Known

BY_WORDS = pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.raw)

PREFIXES = {
    "rate limits": errors._RATE_LIMITS,
    "undecided": errors._UNDECIDED,
    "credentials": errors._CREDENTIALS,
    "gone": errors._GONE,
    "refusals": errors._REFUSALS,
    "kinds": tuple(prefix for prefix, _ in TABLE),
    "cool-downs": tuple(prefix for rule in RULES for prefix in rule.prefixes),
    "pair rules": pair_rules._STALE,
    "availability": availability._NO_ANSWERS,
}


def strangers(prefixes: tuple[str, ...]) -> list[str]:
    """Return prefixes that no string of the list begins with."""
    return [one for one in prefixes if not any(known.raw.startswith(one) for known in KNOWN)]


@BY_WORDS
def test_typed_error(known: Known) -> None:
    for operation, expected in zip(errors.Operation, known.typed, strict=bool(known.typed)):
        error = errors.classify(known.raw, operation)
        assert type(error) is expected
        assert error.raw == known.raw


@BY_WORDS
def test_what_is_done_with_the_order(known: Known) -> None:
    assert refusal_class(known.raw) is known.refusal


@BY_WORDS
def test_cool_down(known: Known) -> None:
    rule = rule_for(known.raw, signed=True)
    assert (rule.name if rule else "") == known.cool_down


@BY_WORDS
def test_rules_of_the_pair_are_read_anew(known: Known) -> None:
    assert smells_of_stale_rules(known.raw) is known.rereads


@BY_WORDS
def test_counts_as_no_answer(known: Known) -> None:
    assert known.raw.startswith(availability._NO_ANSWERS) is known.no_answer


@pytest.mark.parametrize("name", PREFIXES)
def test_each_prefix_of_a_table_is_of_a_string_that_the_list_knows(name: str) -> None:
    assert strangers(PREFIXES[name]) == []


def test_a_planted_prefix_is_found() -> None:
    assert strangers(("EOrder:", "EPlanted:")) == ["EPlanted:"]
    assert len({known.raw for known in KNOWN}) == len(KNOWN)


def test_what_is_limited_passes_and_waits_for_no_person() -> None:
    for known in KNOWN:
        limited = errors.RateLimitedError in known.typed
        assert not limited or known.refusal.value == "passing", known.raw
