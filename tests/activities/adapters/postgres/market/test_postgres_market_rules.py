"""The universe and the correlation groups in a real record: reviewed, changed by two, computed."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.postgres.audit import verify_chain
from activities.adapters.postgres.governance.platform_record import PostgresPlatform
from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.governance.platform import PlatformActivities
from activities.market.rules import AccountsNotRunningError
from activities.ports.rules import UniverseAuthorship
from models.contracts.market_rules import MarketRulesRun
from models.contracts.platform import ChangeUniverse, SettlePlatformApproval
from models.trading.governance.approval import ApprovalSettled, ApprovalStatus
from models.trading.instruments import InstrumentStatus
from models.trading.universe.pairs import Standing, Universe
from tests.support.lifting import note_approval
from tests.support.market_rules import NobodyListens, Pairs, an_instrument, bars, rules_activities

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def wanted(joins=(), leaves=(), author="one"):
    return ChangeUniverse(uuid4().hex, author, "because", tuple(joins), tuple(leaves), NOW)


def settled(asked, by, status=ApprovalStatus.APPROVED):
    fact = ApprovalSettled(asked.request_id, status, by, None, NOW)
    return SettlePlatformApproval(asked.request_id, asked, fact)


@pytest.fixture
def platform_step(database, superuser_url):
    """Carry out a step; what is settled as approved the API has noted before."""
    activities = PlatformActivities(PostgresPlatform(database))

    async def call(name, request):
        if isinstance(request, SettlePlatformApproval):
            note_approval(superuser_url, "platform", request.asked, request.fact.by)
        return await ActivityEnvironment().run(getattr(activities, name), request)

    return call


@pytest.fixture
def run(database, market_database):
    pairs, messenger = Pairs("BTC", "ETH", "SOL"), NobodyListens()
    activities = rules_activities(pairs, database, market_database, messenger, ["company"])

    async def call(name, *words):
        return await ActivityEnvironment().run(getattr(activities, name), *words)

    call.pairs, call.messenger, call.activities = pairs, messenger, activities
    return call


async def test_universe_from_its_first_start_to_a_pair_that_leaves_while_held(
    run, platform_step, database, journal
):
    stored, changes = PostgresMarketRules(database), PostgresPlatform(database)
    first = await run("review_universe", MarketRulesRun())
    assert (first.version, first.installed) == (1, True)
    assert (await stored.current()).allowed == {"BTC/USD", "ETH/USD", "SOL/USD"}
    assert first.proposal is not None  # which says of every pair why it is in or not
    again = await run("review_universe", MarketRulesRun())
    assert (again.version, again.installed, again.proposal) == (1, False, None)

    # A pair is listed anew, one gets too thin, one is delisted: people decide on all three.
    run.pairs.listed["ADA/USD"] = an_instrument("ADA")
    run.pairs.days["ADA/USD"] = bars("ADA/USD", 120, 1440)
    run.pairs.listed["SOL/USD"] = replace(
        run.pairs.listed["SOL/USD"], status=InstrumentStatus.CANCEL_ONLY
    )
    del run.pairs.listed["ETH/USD"]
    reviewed = await run("review_universe", MarketRulesRun())
    assert (reviewed.joins, reviewed.leaves) == (("ADA/USD",), ("ETH/USD", "SOL/USD"))
    same = await run("review_universe", MarketRulesRun())
    assert same.proposal == reviewed.proposal
    universe = await stored.current()
    assert universe.pairs["SOL/USD"].status is InstrumentStatus.CANCEL_ONLY
    assert universe.pairs["ETH/USD"].status is InstrumentStatus.UNKNOWN

    await journal.save_balances("company", {"USD": Decimal(1), "SOL": Decimal(2)}, NOW)
    held = await stored.held_symbols()
    assert held == {"SOL/USD"}
    want = wanted(["ADA/USD"], ["ETH/USD", "SOL/USD"])
    asked = (await platform_step("change_universe", want)).ask
    assert (await platform_step("change_universe", want)).ask == asked
    alone = await platform_step("settle_platform_approval", settled(asked, "One"))
    assert alone.answer.code == "second-person-needed"
    refused = await changes.by_approval(asked.request_id)
    assert (refused.outcome, refused.decided_by) == ("refused", "aether")
    want = wanted(["ADA/USD"], ["ETH/USD", "SOL/USD"])
    asked = (await platform_step("change_universe", want)).ask
    for _ in range(2):
        done = await platform_step("settle_platform_approval", settled(asked, "two"))
        assert (done.answer.code, done.tell) == ("accepted", "version-2")
    row = await changes.by_approval(asked.request_id)
    assert (row.outcome, row.decided_by) == ("applied", "two")

    universe = await stored.current()
    assert universe.version == 2
    assert universe.allowed == {"ADA/USD", "BTC/USD"}
    assert universe.pairs["SOL/USD"].standing is Standing.LEAVING
    assert "ETH/USD" not in universe.pairs
    await journal.save_balances("company", {"USD": Decimal(1)}, NOW)
    await run("review_universe", MarketRulesRun())
    assert "SOL/USD" not in (await stored.current()).pairs
    assert (await verify_chain(database, "platform")).intact


async def test_change_that_cannot_be_made_is_refused_when_it_is_asked_for(
    run, platform_step, database
):
    await run("review_universe", MarketRulesRun())
    for want in (wanted(joins=["DOGE/USD"]), wanted(leaves=["DOGE/USD"])):
        refused = await platform_step("change_universe", want)
        assert (refused.ask, refused.answer.code) == (None, "invalid-change")
    asked = (await platform_step("change_universe", wanted(leaves=["BTC/USD"]))).ask
    for status in (ApprovalStatus.WITHDRAWN, ApprovalStatus.APPROVED):
        ended = await platform_step("settle_platform_approval", settled(asked, "one", status))
        assert ended.answer.accepted
    row = await PostgresPlatform(database).by_approval(asked.request_id)
    assert row.outcome == "refused"
    assert "BTC/USD" in (await PostgresMarketRules(database).current()).allowed


async def test_groups_are_computed_from_stored_bars_and_told_with_the_universe(
    run, database, record
):
    await run("review_universe", MarketRulesRun())
    stored = PostgresMarketRules(database)
    before = await stored.current()
    pair = before.pairs["BTC/USD"]
    pairs = {s: replace(pair, symbol=s) for s in ("BTC/USD", "ETH/USD", "SOL/USD")}
    universe = Universe(before.version + 1, pairs)
    await stored.install(universe, UniverseAuthorship("one", "two", "a test", NOW))
    assert not await stored.install(universe, UniverseAuthorship("one", "two", "a test", NOW))
    symbols = sorted(universe.pairs)
    together = symbols[:2]
    for symbol in symbols:
        same = symbol in together
        await record.save_candles(bars(symbol, 700, 1, period=7.0 if same else 3.1))
    computed = await run("compute_groups", MarketRulesRun())
    assert computed.symbols == len(symbols)
    number, groups = await PostgresMarketRules(database).current_groups()
    assert number == computed.number
    assert groups[together[0]] == groups[together[1]]
    assert groups[symbols[-1]] != groups[together[0]]
    told = await run("signal_market_rules")
    assert told.accounts == 1
    ((account, fact),) = run.messenger.told
    assert (account, fact.groups_number, fact.groups) == ("company", number, groups)
    assert fact.universe == tuple(sorted(universe.allowed))
    run.messenger.missing.add("company")
    with pytest.raises(AccountsNotRunningError, match="company"):
        await run("signal_market_rules")


async def test_what_the_record_knows_no_approval_of_changes_no_universe(
    run, platform_step, database, superuser_url
):
    activities = PlatformActivities(PostgresPlatform(database))
    before = await PostgresPlatform(database).universe()
    asked = (
        await platform_step("change_universe", wanted(leaves=tuple(before.universe.pairs)[:1]))
    ).ask
    assert asked is not None, "a pair that leaves is asked for"
    forged = settled(asked, "user/somebody")
    told = await ActivityEnvironment().run(activities.settle_platform_approval, forged)
    assert "stays as it is" in told.answer.detail
    assert (await PostgresPlatform(database).universe()).universe == before.universe
