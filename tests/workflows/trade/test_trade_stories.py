"""Stories of trades on a real Temporal server, over the ports in memory."""

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest_asyncio

from models.contracts.workflows import CloseNow, MoveStop
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.answers import Answer
from models.trading.orders import Leg, OrderStatus, OrderType
from models.trading.trade.facts import PriceCrossed, PriceWatch, WatchKind
from models.trading.trade.state import TradePhase
from tests.support.fakes import wall_clock
from tests.support.stories import Story, at_rest
from tests.support.temporal import World, eventually


@pytest_asyncio.fixture
async def story(world: World) -> AsyncIterator[Story]:
    async with world.running():
        story = Story(world, world.add_account())
        await story.begin()
        yield story
        await story.end()


async def settled(story: Story, number: int = 1) -> None:
    await story.trade(number).result()
    state = story.journal.trades[story.account, number]
    assert state.phase is TradePhase.SETTLED
    assert state.held == 0
    assert story.exchange.totals["BTC"] == 0
    assert not await story.exchange.open_orders()
    assert not story.journal.undelivered


async def test_trade_that_reaches_its_target_is_closed_at_a_profit(story: Story) -> None:
    answer = await story.open()
    assert answer.accepted, answer
    assert answer.trade == 1
    stop = await story.until_protected()
    assert stop.quantity == Decimal("0.01")
    watches = await eventually(
        lambda: story.journal.watches.get((story.account, 1)), "the target is watched"
    )
    story.exchange.set_price(Decimal(55001))
    crossing = PriceCrossed(watches[0].watch_id, watches[0].kind, Decimal(55001), wall_clock())
    await story.trade(1).signal("price_crossed", crossing)
    await settled(story)
    state = story.journal.trades[story.account, 1]
    assert state.exit_reason == "take_profit"
    assert story.exchange.totals["USD"] > Decimal(100000)
    assert [o.status for o in story.orders(Leg.STOP)] == [OrderStatus.CANCELED]
    assert len(story.orders(Leg.EXIT)) == 1


async def test_trade_that_is_stopped_out_is_settled(story: Story) -> None:
    await story.open()
    await story.until_protected()
    story.exchange.set_price(Decimal(47000))
    await settled(story)
    assert story.journal.trades[story.account, 1].exit_reason == "stop_loss"
    assert not story.orders(Leg.EXIT)


async def test_repeated_request_gets_the_same_answer_and_one_trade(story: Story) -> None:
    request = story.a_request()
    answers = [
        await story.handle.execute_update("open_trade", request, id=name, result_type=Answer)
        for name in (request.request_id, request.request_id, "another-update-id")
    ]
    assert {a.trade for a in answers} == {1}
    await story.until_protected()
    assert len(story.exchange.submits) == 2


async def test_entry_refused_by_the_exchange_ends_the_trade(story: Story) -> None:
    story.exchange.reject_next = "EOrder:Insufficient funds"
    await story.open()
    await story.trade(1).result()
    state = story.journal.trades[story.account, 1]
    assert state.phase is TradePhase.SETTLED
    assert state.bought == 0
    assert (await story.handle.query("snapshot"))["trades"] == {}


async def test_lost_reply_of_the_entry_is_found_and_not_sent_again(story: Story) -> None:
    story.exchange.lose_after = 1
    await story.open()
    await story.until_protected()
    assert len(story.orders(Leg.ENTRY)) == 1
    assert [s.leg for s in story.exchange.submits] == [Leg.ENTRY, Leg.STOP]


async def test_lost_request_of_the_entry_is_proven_absent_and_given_up(story: Story) -> None:
    story.exchange.lose_before = 1
    await story.open()
    await story.trade(1).result()
    assert len(story.exchange.submits) == 1
    assert not story.exchange.orders


async def test_lost_stop_is_sent_again_until_it_rests(story: Story) -> None:
    story.exchange.lose_before = 0
    await story.open(order_type=OrderType.LIMIT, limit_price=Decimal(49000))
    entry = (await eventually(lambda: story.orders(Leg.ENTRY), "the entry rests"))[0]
    story.exchange.lose_before = 2
    story.exchange.fill_part(entry.order_id, Decimal("0.004"))
    stop = await story.until_protected()
    assert stop.quantity == Decimal("0.004")
    assert len(story.resting_stops()) == 1
    story.exchange.fill_part(entry.order_id, Decimal("0.006"))
    await eventually(
        lambda: sum(s.quantity for s in story.resting_stops()) == Decimal("0.01"),
        "the whole position is protected",
    )


async def test_exit_whose_reply_was_lost_sells_once(story: Story) -> None:
    await story.open()
    await story.until_protected()
    story.exchange.lose_after = 1
    request = CloseNow("close-1", "tester", wall_clock())
    answer = await story.trade(1).execute_update("close_now", request, result_type=Answer)
    assert answer.accepted
    assert answer.request_id == "close-1"
    await settled(story)
    assert len(story.orders(Leg.EXIT)) == 1


async def test_exit_whose_request_was_lost_is_sent_after_its_deadline(story: Story) -> None:
    await story.open()
    await story.until_protected()
    story.exchange.lose_before = 1
    request = CloseNow("close-1", "tester", wall_clock())
    await story.trade(1).execute_update("close_now", request, result_type=Answer)
    await settled(story)
    assert len(story.orders(Leg.EXIT)) == 1
    assert [s.leg for s in story.exchange.submits].count(Leg.EXIT) == 2


async def test_stop_is_moved_up_in_place_and_not_down(story: Story) -> None:
    await story.open()
    stop = await story.until_protected()
    up = MoveStop("move-1", "tester", wall_clock(), stop_price=Decimal(48500), price=Decimal(50000))
    answer = await story.trade(1).execute_update("move_stop", up, result_type=Answer)
    assert answer.accepted
    await eventually(
        lambda: story.exchange.orders[stop.order_id].trigger_price == Decimal(48500), "moved"
    )
    down = MoveStop(
        "move-2", "tester", wall_clock(), stop_price=Decimal(48000), price=Decimal(50000)
    )
    answer = await story.trade(1).execute_update("move_stop", down, result_type=Answer)
    assert answer.code == "worse-protection"


async def test_fill_that_the_stream_missed_is_found_by_review(story: Story) -> None:
    story.exchange.deaf = True
    await story.open()
    stop = await story.until_protected()
    assert stop.quantity == Decimal("0.01")


async def test_fills_missed_by_the_stream_are_replayed_after_a_gap(story: Story) -> None:
    await story.open(order_type=OrderType.LIMIT, limit_price=Decimal(49000))
    entry = (await eventually(lambda: story.orders(Leg.ENTRY), "the entry rests"))[0]
    story.exchange.deaf = True
    story.exchange.fill_part(entry.order_id, Decimal("0.01"))
    story.exchange.deaf = False
    story.exchange.gap()
    await story.until_protected()


async def test_idle_answers_when_everything_told_was_handled(story: Story) -> None:
    await story.open()
    await story.until_protected()
    idle = await at_rest(story.trade(1))
    assert idle.handled >= 2
    account = await at_rest(story.handle)
    assert account.handled >= 2
    assert (story.account, 1, "trade_protected") in story.journal.events


async def test_an_entry_that_rests_follows_crosses_and_is_protected_all_along(world: World) -> None:
    async with world.running():
        story = Story(world, world.add_account())
        style = '{"execution.entry_style":"rest_then_take","execution.reprices":1}'
        await story.begin(settings=SettingsInForce(1, style))
        await story.open()
        (entry,) = await eventually(lambda: story.orders(Leg.ENTRY), "the entry rests")
        assert entry.limit_price == Decimal(49999)
        await rest_is_over(story, "49999.5", seen=0)
        await eventually(lambda: len(story.exchange.repriced) == 1, "it follows the bid")
        story.exchange.fill_part(entry.order_id, Decimal("0.004"))
        stop = await story.until_protected()
        assert stop.quantity == Decimal("0.004")
        await rest_is_over(story, "49999.6", seen=1)
        await eventually(
            lambda: sum(s.quantity for s in story.resting_stops()) == Decimal("0.01"),
            "what it took is protected as well",
        )
        assert story.exchange.repriced == [
            (entry.order_id, Decimal("49999.5"), True),
            (entry.order_id, Decimal("50151.0"), False),
        ]
        close = CloseNow("close-1", "tester", wall_clock(), Decimal(50000))
        await story.trade(1).execute_update("close_now", close, result_type=Answer)
        await settled(story)
        assert len(story.orders(Leg.ENTRY)) == 1
        (leaving,) = [o for o in story.exchange.submits if o.leg is Leg.EXIT]
        assert leaving.limit_price == Decimal("49750.0")
        await story.end()


async def rest_is_over(story: Story, bid: str, seen: int) -> None:
    """Let the moment come that the entry waits for; ``seen`` of them have come before."""

    def watched() -> PriceWatch | None:
        watches = story.journal.watches.get((story.account, 1), ())
        found = [w for w in watches if w.kind is WatchKind.REST]
        return found[0] if found and len(seen_moments) == seen else None

    seen_moments = story.exchange.repriced
    watch = await eventually(watched, "the entry's moment is watched")
    assert watch.due_at is not None
    reached = PriceCrossed(watch.watch_id, watch.kind, Decimal(50000), watch.due_at, Decimal(bid))
    await story.trade(1).signal("price_crossed", reached)


async def test_an_exit_that_finds_too_little_widens_until_all_is_sold(story: Story) -> None:
    await story.open()
    await story.until_protected()
    story.exchange.offered = Decimal("0.003")
    close = CloseNow("close-1", "tester", wall_clock(), Decimal(50000))
    await story.trade(1).execute_update("close_now", close, result_type=Answer)
    await settled(story)
    sent = [o for o in story.exchange.submits if o.leg is Leg.EXIT]
    limits = [o.limit_price for o in sent]
    assert limits[:3] == [Decimal("49750.0"), Decimal("49500.0"), Decimal("49000.0")]
    assert [o.quantity for o in sent][:4] == [Decimal(f"0.0{n:02}") for n in (10, 7, 4, 1)]
    assert len({o.client_order_id for o in sent}) == len(sent)
