"""The live path proposes what the reference backtest does, and what differs is named."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from activities.market.strategy_runner import StrategyRunner
from models.learning.backtest.decision_parity import (
    AccountDecision,
    compare_decisions,
    proposal_of,
    reference_buys,
    reference_proposals,
)
from models.trading.market import MarketSnapshot
from models.trading.strategies import StrategyStanding, known
from tests.models.learning.backtest.backtest_builders import wandering

INSTALLATION = "6a2f41a3-c54c-4d8e-8a10-111111111111"
BARS = wandering(21, 420, interval=1440, volume=3e4, spread=250)


def live(bars):
    """Return what the market worker's runner proposes on bars, with every strategy beside it."""
    runner, found = StrategyRunner(known(), INSTALLATION), []
    for candle in bars.candles():
        runner.take(candle)
        end = candle.start + timedelta(minutes=candle.interval_minutes)
        spread = bars.instrument.price_increment
        market = MarketSnapshot(
            candle.symbol, candle.close - spread, candle.close, candle.close, end
        )
        found += [proposal_of(idea) for idea in runner.propose(market, bars.instrument)]
    return found


@pytest.mark.parametrize("name", [one.name for one in known().of(StrategyStanding.SHIPPED)])
def test_live_proposals_are_those_of_the_reference_backtest(name):
    reference = reference_proposals(known().by_name(name), BARS)
    mine = [one for one in live(BARS) if one.strategy == name]
    decided = [AccountDecision(one, acted=True, reasons=()) for one in mine]
    parity = compare_decisions(reference, frozenset(), decided, {})
    assert parity.proposals > 100
    assert parity.same_proposals == parity.proposals
    assert parity.differences == ()


def test_every_difference_is_named_and_explained_or_counted():
    strategy = known().by_name("donchian_ensemble")
    reference, bought = reference_proposals(strategy, BARS), reference_buys(strategy, BARS)
    assert bought
    refused = min(bought, key=lambda key: key[1])
    decided = []
    for one in reference[:-1]:
        acted = one.key != refused
        reasons = () if acted else ("too-small: the least order is larger",)
        decided.append(AccountDecision(one, acted, reasons))
    parity = compare_decisions(reference, bought, decided, {reference[-1].bar_start: "the end"})
    assert [one.explanation for one in parity.differences] == [
        "too-small: the least order is larger", "the end",
    ]  # fmt: skip
    assert parity.unexplained == 0
    spoilt = replace(decided[0].proposal, stop_price=Decimal(1))
    decided[0] = replace(decided[0], proposal=spoilt)
    worse = compare_decisions(reference, bought, decided, {reference[-1].bar_start: "the end"})
    assert worse.unexplained == 1
    assert "stop 1" in worse.differences[0].what
