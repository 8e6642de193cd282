"""The champion takes what it was trained to take; whatever is not known refuses, and says why."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from activities.market import champion as module
from activities.market import deciders
from activities.market.champion import ChampionJudge
from models.contracts.learning import CHAMPION, LEARNED_STRATEGY, NO_TRADE, PRIMARY_STRATEGY
from models.trading.ideas import Idea
from tests.support.learning.champions import DAY, days, document, pinned
from tests.support.learning.training import FakeModels, FakeRegistry
from tests.support.temporal import eventually

ETH = days("ETH/USD", seed=2)
INSTALLATION = "04d308de-35e9-4ff4-915f-1a4d4d26a682"
BTC = days("BTC/USD")
WIDTH = len(document().features)
NOW = ETH[-1].start + DAY


class Signed:
    def __init__(self, good: bool = True) -> None:
        self.good = good

    def verifies(self, text: str, signature: str) -> bool:
        return self.good and signature == "signature" and text.startswith("aether-model/v1\n")


def idea(**changes):
    last = ETH[-1]
    made = Idea(
        "primary-1", PRIMARY_STRATEGY, "1", "ETH/USD", last.start, last.start + 2 * DAY,
        Decimal(90), Decimal(120), None, ("primary",), hold_maximum=timedelta(days=15),
    )  # fmt: skip
    return replace(made, **changes)


def judge(made=None, *, bars=(*BTC, *ETH), watched=True, good=True):
    record, registry = FakeModels(), FakeRegistry()
    made = made or document()
    content = made.encode()
    registry.documents[2] = content
    registry.aliases[CHAMPION] = 2
    record.models["run-1"] = pinned(content, made)
    record.champions.append("run-1")
    found = ChampionJudge(record, registry, Signed(good), INSTALLATION, watched, lambda: NOW)
    for bar in bars:
        found.take(bar)
    return found, record, registry


async def judged(champion, ideas, now):
    """Let the champion be loaded, as it is beside the market, and judge."""
    with suppress(OSError):
        await champion.load()
    return await champion.judge(ideas, now)


async def test_champion_takes_sizes_and_pins():
    champion, record, _ = judge()
    (taken,) = await judged(champion, [idea()], NOW)
    assert taken.strategy == LEARNED_STRATEGY
    assert taken.model == "2"
    assert taken.feature_hash == document().feature_hash
    assert taken.strategy_version == f"2+{document().feature_hash[:12]}"
    assert 0 < taken.equity_share <= Decimal("0.1")
    assert (taken.stop_price, taken.hold_maximum) == (Decimal(90), timedelta(days=15))
    assert any("not of the market" in reason for reason in taken.reasons)
    (logged,) = record.predictions
    assert logged.taken
    assert logged.idea_id == taken.idea_id != "primary-1"
    assert len(logged.vector) == len(document().features)
    assert set(record.bars) == {*BTC, *ETH}


async def test_no_trade_is_the_default_and_takes_nothing():
    champion, record, registry = judge()
    record.champions.append(NO_TRADE)
    registry.away = True  # nobody is asked
    assert await judged(champion, [idea()], NOW) == []
    assert record.predictions == []


async def test_model_in_shadow_decides_and_takes_nothing():
    champion, record, _ = judge()
    record.champions.append(NO_TRADE)
    record.shadow = record.models["run-1"]
    assert await judged(champion, [idea()], NOW) == []
    (logged,) = record.predictions
    assert (logged.version, logged.shadow, logged.taken, logged.refusal) == (2, True, False, "")
    assert logged.stake > 0  # what it would have taken
    assert len(logged.vector) == len(document().features)
    assert champion.status == "no trade"


async def test_shadow_holds_no_champion_up():
    champion, record, registry = judge()
    other = replace(record.models["run-1"], version=3, run_id="run-2")
    record.shadow = other
    registry.documents[3] = b"{}"  # a damaged file
    (taken,) = await judged(champion, [idea()], NOW)
    assert taken.model == "2"
    decided, shadowed = record.predictions
    assert (shadowed.version, shadowed.shadow, shadowed.hard) == (3, True, True)
    assert "file is" in shadowed.refusal
    assert (decided.version, decided.shadow, decided.taken) == (2, False, True)
    assert shadowed.idea_id != decided.idea_id


@pytest.mark.parametrize("failure", [ValueError("odd"), TimeoutError()], ids=repr)
async def test_shadow_that_fails_in_any_way_leaves_the_champion_its_decision(monkeypatch, failure):
    champion, record, registry = judge()
    record.shadow = replace(record.models["run-1"], version=3, run_id="run-2")
    read = registry.content

    async def content(version):
        if version == 3:
            raise failure
        return await read(version)

    monkeypatch.setattr(registry, "content", content)
    (taken,) = await judged(champion, [idea()], NOW)
    assert taken.model == "2"


async def test_registry_that_hangs_is_a_refusal_at_once_and_given_up(monkeypatch):
    champion, record, registry = judge()
    record.shadow = replace(record.models["run-1"], version=3, run_id="run-2")
    asked = []

    async def hang(version):
        asked.append(version)
        await asyncio.sleep(60)

    monkeypatch.setattr(registry, "content", hang)
    monkeypatch.setattr(deciders, "LOAD_SECONDS", 0.3)
    loading = asyncio.create_task(champion.keep_loaded())
    async with asyncio.timeout(0.25):
        assert await champion.judge([idea()], NOW) == []
    decided, shadowed = record.predictions
    assert "version 2 is not loaded yet" in decided.refusal
    assert "version 3 is not loaded yet" in shadowed.refusal
    assert not decided.hard
    assert "not loaded yet" in champion.status
    await asyncio.sleep(0.6)
    # Given up, and not asked again for each idea.
    assert await champion.judge([idea(idea_id="primary-2")], NOW) == []
    assert "TimeoutError" in record.predictions[-2].refusal
    assert sorted(asked) == [2, 3]
    loading.cancel()


async def test_model_is_loaded_beside_the_market_when_it_is_missed(monkeypatch):
    champion, record, _ = judge()
    monkeypatch.setattr(deciders, "LOOK_SECONDS", 3600.0)
    loading = asyncio.create_task(champion.keep_loaded())
    await eventually(lambda: champion._deciders._champion is not None, "it is loaded")
    assert await champion.judge([idea()], NOW)
    assert [one.refusal for one in record.predictions] == [""]
    # The next champion: the first idea that misses it has it loaded.
    record.champions.append("run-1")
    assert await champion.judge([idea(idea_id="primary-2", symbol="SOL/USD")], NOW) == []
    assert "not loaded yet" in record.predictions[-1].refusal
    number = len(record.champions)
    await eventually(lambda: champion._deciders._champion.number == number, "it is loaded")
    loading.cancel()


async def test_bar_that_closes_while_others_are_written_is_written_later():
    champion, record, _ = judge()
    later = replace(ETH[-1], start=ETH[-1].start + DAY)
    save = record.save_bars

    async def slowly(bars):
        await save(bars)
        if later not in record.bars:
            champion.take(later)

    record.save_bars = slowly
    await judged(champion, [idea()], NOW)
    assert later not in record.bars
    await judged(champion, [idea(idea_id="primary-2")], NOW)
    assert later in record.bars


async def test_ideas_of_others_are_not_judged():
    champion, record, _ = judge()
    assert await judged(champion, [idea(strategy="trend")], NOW) == []
    assert record.predictions == []


async def test_what_is_withdrawn_decides_nothing_more():
    champion, record, _ = judge()
    assert await judged(champion, [idea()], NOW)
    record.champions.append(NO_TRADE)
    assert await judged(champion, [idea(idea_id="primary-2")], NOW) == []


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda c, r, g: g.documents.update({2: b"{}" + g.documents[2]}), "file is"),
        (lambda c, r, g: g.aliases.update({CHAMPION: 1}), "registry's champion is version 1"),
        (lambda c, r, g: g.aliases.clear(), "registry's champion is version None"),
        (lambda c, r, g: setattr(g, "away", True), "registry is away"),
        (lambda c, r, g: r.models.clear(), "no model of run-1"),
        (lambda c, r, g: setattr(c.signatures, "good", False), "not signed"),
        (lambda c, r, g: setattr(c, "is_watched", False), "learning is off"),
        (lambda c, r, g: c._bars["ETH/USD"].pop(), "unknown"),
        (lambda c, r, g: c._bars.pop("ETH/USD"), "unknown"),
    ],
)
async def test_whatever_is_not_known_refuses_visibly(spoil, why):
    champion, record, registry = judge()
    spoil(champion, record, registry)
    assert await judged(champion, [idea()], NOW) == []
    (logged,) = record.predictions
    assert why in logged.refusal
    assert not logged.taken
    assert why in champion.status


async def test_damaged_model_is_a_hard_fact_and_a_silent_registry_is_none(monkeypatch):
    champion, record, registry = judge()
    registry.documents[2] = b"other"
    await judged(champion, [idea()], NOW)
    assert record.predictions[0].hard
    champion, record, registry = judge()
    registry.away = True
    await judged(champion, [idea()], NOW)
    assert not record.predictions[0].hard
    registry.away = False
    # It is not asked again for each idea, but in a while.
    assert await judged(champion, [idea(idea_id="primary-2")], NOW) == []
    monkeypatch.setattr(deciders, "FAILED_SECONDS", 0.0)
    assert await judged(champion, [idea(idea_id="primary-3")], NOW)


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (document(feature_hash="other"), "other features"),
        (document(primary="trend"), "nothing of here"),
        (document(low=(50.0,) * WIDTH, high=(51.0,) * WIDTH), "trained on"),
    ],
)
async def test_model_of_something_else_refuses(made, why):
    champion, record, _ = judge(made)
    assert await judged(champion, [idea()], NOW) == []
    assert why in record.predictions[0].refusal


async def test_idea_waits_for_the_reference_and_not_for_ever():
    champion, record, _ = judge(bars=(*BTC[:-1], *ETH))
    assert await judged(champion, [idea()], NOW) == []
    assert record.predictions == []
    champion.take(BTC[-1])
    (taken,) = await judged(champion, [], NOW)
    assert taken.symbol == "ETH/USD"
    champion, record, _ = judge(bars=(*BTC[:-1], *ETH))
    await judged(champion, [idea()], NOW)
    assert await judged(champion, [], NOW + timedelta(hours=7)) == []
    assert "unknown" in record.predictions[0].refusal


async def test_prediction_that_takes_too_long_is_not_taken(monkeypatch):
    monkeypatch.setattr(module, "LONGEST_MICROSECONDS", 0)
    champion, record, _ = judge()
    assert await judged(champion, [idea()], NOW) == []
    assert "took" in record.predictions[0].refusal


async def test_decision_that_cannot_be_written_down_is_not_taken():
    champion, record, _ = judge()

    async def fail(_):
        raise ConnectionError("away")

    record.log_prediction = fail
    assert await judged(champion, [idea()], NOW) == []
    record.away = True
    assert await judged(champion, [idea()], NOW) == []
    assert champion.status == "the record does not answer"
