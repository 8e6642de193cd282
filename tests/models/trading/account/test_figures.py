"""A figure that is missing or too old is unknown: no entries, a reason that is seen, and back."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from models.trading.account.capital.facts import PricesMarked
from models.trading.account.decisions import decide
from models.trading.account.facts import AccountFact, ExchangeReady, RecordAccount, UniverseUpdated
from models.trading.account.figures import FigureLimits, FigureTimes, why_outdated
from models.trading.account.state import AccountState, HaltKind
from tests.models.trading.account.test_account_decisions import a_request
from tests.models.trading.trading_builders import START, a_market, an_account

LIMITS = FigureLimits()
NOW = FigureTimes(START, START, START)
FIGURES = ("fees", "universe", "groups")


def told(at: datetime = START) -> UniverseUpdated:
    both = ("BTC/USD", "ETH/USD")
    return UniverseUpdated(1, both, {}, 1, {}, at, None, at, at)


def ready(account: AccountState, at: datetime = START) -> ExchangeReady:
    return ExchangeReady(account.balances, account.instruments, account.fees, at)


def refusal(account: AccountState, **changes: object) -> str:
    answer = decide(account, a_request(2, **changes)).answer
    assert answer is not None
    return answer.code


@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_has_its_limit_and_is_named_beyond_it(figure: str) -> None:
    limit: timedelta = getattr(LIMITS, figure)
    alone = replace(FigureTimes(START + limit, START + limit, START + limit), **{figure: START})
    assert why_outdated(alone, LIMITS, START + limit) == ""
    reason = why_outdated(alone, LIMITS, START + limit + timedelta(seconds=1))
    assert reason.count("allowed") == 1
    assert "not known yet" in why_outdated(replace(alone, **{figure: None}), LIMITS, START)


@pytest.mark.parametrize("figure", FIGURES)
def test_an_account_takes_no_entries_without_it_and_takes_them_again(figure: str) -> None:
    account = an_account(figure_times=replace(NOW, **{figure: None}))
    refused = decide(account, a_request())
    assert refused.answer is not None
    assert refused.answer.code == "figures-outdated"
    (halt,) = refused.state.halts
    assert halt.kind is HaltKind.OUTDATED
    halted = next(c for c in refused.commands if isinstance(c, RecordAccount))
    assert (halted.action, dict(halted.details)["kind"]) == ("entries_halted", "outdated")
    fact: AccountFact = ready(account) if figure == "fees" else told()
    again = decide(refused.state, fact)
    assert again.state.halts == ()
    assert "entries_free_again" in [getattr(c, "action", None) for c in again.commands]
    assert refusal(again.state) == "accepted"


def test_what_grows_old_halts_when_the_account_next_hears_anything() -> None:
    late = START + LIMITS.fees + timedelta(seconds=1)
    account = an_account(figure_times=NOW)
    seen = decide(account, PricesMarked({}, START, late)).state
    assert [halt.kind for halt in seen.halts] == [HaltKind.OUTDATED]
    assert seen.trades == account.trades
    assert decide(seen, ready(account, late)).state.halts == ()


def test_a_review_that_changes_nothing_is_still_news() -> None:
    account = decide(an_account(figure_times=FigureTimes(fees=START)), told()).state
    later = START + timedelta(days=2)
    again = decide(account, told(later))
    assert again.state.figure_times.universe == later
    assert again.state.figure_times.groups == later
    older = decide(again.state, told(START)).state
    assert older.figure_times == again.state.figure_times


def test_a_pair_without_a_rate_of_its_own_pays_the_dearest() -> None:
    account = an_account()
    only = {"ETH/USD": account.fees["ETH/USD"]}
    after = decide(account, replace(ready(account), fees=only)).state
    assert after.fees == only


@pytest.mark.parametrize(
    "changes",
    [
        {"average_true_range": None},
        {"volatility": None},
        {"volatility": Decimal("NaN")},
        {"average_true_range": Decimal(0), "volatility": Decimal(0)},
        {"measured_at": None},
        {"measured_at": START - LIMITS.volatility - timedelta(seconds=1)},
    ],
)
def test_a_pair_of_unknown_volatility_is_not_entered(changes: dict[str, object]) -> None:
    assert refusal(an_account(), market=a_market(**changes)) == "volatility-unknown"


def test_a_clock_that_stands_still_is_too_old_to_enter_by() -> None:
    account = decide(an_account(), PricesMarked({}, START, START)).state
    soon = START + LIMITS.clock
    assert refusal(account, at=soon, market=a_market()) == "accepted"
    late = soon + timedelta(seconds=1)
    assert refusal(account, at=late, market=a_market()) == "stale-market"
    assert refusal(account, at=late, market=a_market(seconds=1)) == "accepted"
