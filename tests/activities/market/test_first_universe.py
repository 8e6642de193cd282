"""The first universe is what passes the rules, with the reason of every pair that does not."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from temporalio.testing import ActivityEnvironment

from activities.market.rules import MarketRulesActivities
from models.contracts.market_rules import MarketRulesRun, UniverseReviewed
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.reading import platform_rules
from models.trading.settings.versions import default_version
from tests.support.market_rules import NobodyListens, Pairs, an_instrument, bars

RULES = platform_rules(default_version("platform", SettingScope.PLATFORM), frozenset())


class Stored:
    """Bars and universe in memory."""

    def __init__(self):
        self.candles, self.universe, self.by, self.proposals = {}, None, None, []

    async def save_candles(self, candles):
        for one in candles:
            self.candles.setdefault((one.symbol, one.interval_minutes), []).append(one)
        return len(candles)

    async def recent_candles(self, symbol, interval_minutes, limit):
        return self.candles.get((symbol, interval_minutes), [])[-limit:]

    async def current(self):
        return self.universe

    async def install(self, universe, by):
        self.universe, self.by = universe, by
        return True

    async def save_proposal(self, proposal, at):
        self.proposals.append(proposal)
        return len(self.proposals)

    async def sanctioned(self):
        return None


@pytest.fixture
def stored():
    return Stored()


async def review(stored, pairs, *, own_market=False) -> UniverseReviewed:
    async def rules():
        return RULES

    async def accounts():
        return []

    steps = MarketRulesActivities(
        pairs, stored, stored, stored, NobodyListens(), accounts, rules,
        lambda: datetime.now(UTC), 1, own_market=own_market,
    )  # fmt: skip
    return await ActivityEnvironment().run(steps.review_universe, MarketRulesRun())


async def test_first_universe_leaves_out_what_is_thin_young_or_not_known(stored):
    pairs = Pairs("BTC", "ETH", "THIN", "YOUNG", "WIDE", "UNKNOWN", "USDT")
    pairs.days["THIN/USD"] = bars("THIN/USD", 200, 1440, volume=1)
    pairs.days["YOUNG/USD"] = bars("YOUNG/USD", 20, 1440)
    pairs.days["UNKNOWN/USD"] = []
    pairs.unquoted = {"WIDE/USD"}
    pairs.listed["ADA/EUR"] = replace(an_instrument("ADA"), symbol="ADA/EUR", quote="EUR")
    found = await review(stored, pairs)
    assert (found.version, found.installed, found.joins) == (1, True, ("BTC/USD", "ETH/USD"))
    assert stored.universe.allowed == {"BTC/USD", "ETH/USD"}
    assert stored.by.reason.startswith("first start: 2 of 8 listed pairs pass")
    [said] = stored.proposals
    assert said.is_empty
    reasons = {
        symbol: "; ".join(check.reason for check in verdict.failures)
        for symbol, verdict in said.verdicts.items()
    }
    assert "USD against 1000000 USD" in reasons["THIN/USD"]
    assert reasons["YOUNG/USD"] == "20 days of history against 90"
    assert reasons["UNKNOWN/USD"] == "0 days of history against 90"
    assert "spread unknown" in reasons["WIDE/USD"]
    assert reasons["USDT/USD"] == "not excluded: USDT"
    assert reasons["BTC/USD"] == ""


async def test_without_any_pair_that_passes_trading_waits_for_a_later_review(stored):
    pairs = Pairs("BTC", "ETH")
    pairs.unquoted = set(pairs.listed)
    found = await review(stored, pairs)
    assert (found.version, found.installed, found.proposal) == (0, False, 1)
    assert stored.universe is None
    pairs.unquoted = set()
    assert (await review(stored, pairs)).installed


async def test_volume_keeps_no_pair_of_our_own_market_out(stored):
    pairs = Pairs("BTC", "ETH", "SOL", "ADA")
    pairs.days = {
        "BTC/USD": bars("BTC/USD", 3, 60, volume=2),
        "ETH/USD": bars("ETH/USD", 3, 60, volume=1),
        "SOL/USD": [],
        "ADA/USD": [],
    }
    pairs.unquoted = {"ADA/USD"}
    found = await review(stored, pairs, own_market=True)
    # Two coins of 30,000 an hour are 1.44 million a day, one is 0.72; of ADA nothing is known.
    assert found.joins == ("BTC/USD", "ETH/USD", "SOL/USD")
    assert "as old as the installation" in stored.by.reason


async def test_market_of_our_own_that_has_just_begun_is_judged_by_its_spread(stored):
    pairs = Pairs("BTC", "ETH")
    pairs.days, pairs.unquoted = {}, {"ETH/USD"}
    assert (await review(stored, pairs, own_market=True)).joins == ("BTC/USD",)
    assert (await review(Stored(), pairs)).joins == ()
    pairs.spread = Decimal("0.01")
    assert (await review(Stored(), pairs, own_market=True)).joins == ()
