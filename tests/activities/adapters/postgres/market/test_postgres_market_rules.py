"""The universe and the correlation groups in a real record: reviewed, changed by two, computed."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.adapters.postgres.audit import verify_chain
from activities.adapters.postgres.governance.universe_changes import (
    ChangeWanted,
    PostgresUniverseChanges,
)
from activities.adapters.postgres.market.rules_record import PostgresMarketRules
from activities.market.rules import AccountsNotRunningError
from activities.ports.rules import UniverseAuthorship
from models.contracts.market_rules import MarketRulesRun
from models.trading.instruments import InstrumentStatus
from models.trading.universe.pairs import Standing, Universe
from tests.support.market_rules import NobodyListens, Pairs, an_instrument, bars, rules_activities

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def wanted(joins=(), leaves=(), author="one"):
    return ChangeWanted(uuid4().hex, author, "because", tuple(joins), tuple(leaves), NOW)


@pytest.fixture
def run(database, market_database):
    pairs, messenger = Pairs("BTC", "ETH", "SOL"), NobodyListens()
    activities = rules_activities(pairs, database, market_database, messenger, ["company"])

    async def call(name, *words):
        return await ActivityEnvironment().run(getattr(activities, name), *words)

    call.pairs, call.messenger, call.activities = pairs, messenger, activities
    return call


async def test_universe_from_its_first_start_to_a_pair_that_leaves_while_held(
    run, database, journal
):
    stored, changes = PostgresMarketRules(database), PostgresUniverseChanges(database)
    first = await run("review_universe", MarketRulesRun())
    assert (first.version, first.installed) == (1, True)
    assert (await stored.current()).allowed == {"BTC/USD", "ETH/USD", "SOL/USD"}
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
    asked = await changes.ask(want)
    assert (await changes.ask(want)).row.number == asked.row.number
    alone = await changes.decide(asked.row.number, "One", approve=True, at=NOW, held=held)
    assert [check.code for check in alone.verdict.failures] == ["second-person-needed"]
    done = await changes.decide(asked.row.number, "two", approve=True, at=NOW, held=held)
    assert (done.row.outcome, done.row.decided_by) == ("applied", "two")
    repeated = await changes.decide(asked.row.number, "two", approve=True, at=NOW, held=held)
    assert repeated.verdict.allowed
    late = await changes.decide(asked.row.number, "three", approve=True, at=NOW, held=held)
    assert [check.code for check in late.verdict.failures] == ["approval-decided"]

    universe = await stored.current()
    assert universe.version == 2
    assert universe.allowed == {"ADA/USD", "BTC/USD"}
    assert universe.pairs["SOL/USD"].standing is Standing.LEAVING
    assert "ETH/USD" not in universe.pairs
    await journal.save_balances("company", {"USD": Decimal(1)}, NOW)
    await run("review_universe", MarketRulesRun())
    assert "SOL/USD" not in (await stored.current()).pairs
    assert (await verify_chain(database, "platform")).intact


async def test_change_that_cannot_be_made_is_refused_when_it_is_asked_for(run, database):
    await run("review_universe", MarketRulesRun())
    changes = PostgresUniverseChanges(database)
    for want in (wanted(joins=["DOGE/USD"]), wanted(leaves=["DOGE/USD"])):
        refused = await changes.ask(want)
        assert refused.row is None
        assert [check.code for check in refused.verdict.failures] == ["invalid-change"]
    unknown = await changes.decide(999_999, "two", approve=True, at=NOW, held=())
    assert unknown.row is None
    asked = await changes.ask(wanted(leaves=["BTC/USD"]))
    ended = await changes.decide(asked.row.number, "one", approve=False, at=NOW, held=())
    assert ended.row.outcome == "refused"
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
    told = await run("tell_market_rules")
    assert told.accounts == 1
    ((account, fact),) = run.messenger.told
    assert (account, fact.groups_number, fact.groups) == ("company", number, groups)
    assert fact.universe == tuple(sorted(universe.allowed))
    run.messenger.missing.add("company")
    with pytest.raises(AccountsNotRunningError, match="company"):
        await run("tell_market_rules")
