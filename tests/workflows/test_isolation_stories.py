"""A fault in one account changes nothing for the others: the same day, with and without it."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from activities.ports.exchange_errors import CredentialsError
from models.trading.account.capital.facts import PricesMarked
from models.trading.account.facts import LimitsChangeRequested, SettingsChangeRequested
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.orders import Leg
from models.trading.risk.limits import AccountLimits
from models.trading.trade.facts import PriceCrossed
from tests.support.fakes import BITCOIN, wall_clock
from tests.support.stories import Story, at_rest
from tests.support.temporal import World, eventually

ZERO = Decimal(0)


async def exchange_is_down(story):
    story.exchange.down = True
    story.exchange.gap("connection lost")

    async def halted():
        return (await snapshot(story)).is_halted

    await eventually(halted, "no exchange")


async def key_is_refused(story):
    async def refused():
        raise CredentialsError("EAPI:Invalid key")

    for name in ("balances", "open_orders", "submit", "cancel", "fills"):
        setattr(story.exchange, name, lambda *_, **__: refused())
    story.exchange.gap("logged out")


async def replies_get_lost(story):
    story.exchange.lose_after = 3
    await story.open()


async def settings_are_wrong(story):
    nothing = AccountLimits(
        risk_share=ZERO, pair_exposure_share=ZERO, gross_exposure_share=ZERO, open_trades_maximum=0
    )
    request = LimitsChangeRequested("wrong", "somebody", nothing, wall_clock())
    await story.handle.execute_update("change_limits", request, result_type=Answer)
    assert not (await story.open()).accepted


async def drawdown_halts(story):
    large = {"quantity": Decimal("0.2"), "stop_price": Decimal(49000)}
    assert (await story.open(**large)).accepted
    await story.until_protected()
    now = wall_clock() + timedelta(seconds=1)
    crash = PricesMarked({BITCOIN.symbol: Decimal(1)}, now, now)
    await story.handle.signal("prices_marked", crash)

    async def halted():
        return (await snapshot(story)).is_halted

    await eventually(halted, "the drawdown halts")


async def settings_forbid_everything(story):
    """Settings as somebody may really make them: allowed, and of no use."""
    nothing = {"risk.risk_share": "0", "portfolio.gross_share": "0", "portfolio.pair_share": "0"}
    wishes = [
        ("broken", '{"risk.risk_share":"a lot"}', "invalid-setting"),
        ("unread", "{", "invalid-setting"),
        ("wrong", json.dumps(nothing), "accepted"),
    ]
    for name, updates, code in wishes:
        request = SettingsChangeRequested(
            name, "somebody", updates, "by mistake", wall_clock(), confirmed=True
        )
        answer = await story.handle.execute_update(
            "change_settings", request, id=name, result_type=Answer
        )
        assert answer.code == code
    assert not (await story.open()).accepted


FAULTS = [
    exchange_is_down,
    key_is_refused,
    replies_get_lost,
    settings_are_wrong,
    settings_forbid_everything,
    drawdown_halts,
]


async def snapshot(story):
    return await story.handle.query("snapshot", result_type=AccountState)


async def a_day(story):
    """Open two trades; one takes its profit, one stays protected; return all that came of it."""
    answers = [await story.open(), await story.open(quantity=Decimal("0.002"))]
    for answer in answers:
        await story.until_protected(answer.trade)
    (watch, *_) = await eventually(
        lambda: story.journal.watches.get((story.account, 1)), "the first is watched"
    )
    story.exchange.set_price(Decimal(55001))
    crossing = PriceCrossed(watch.watch_id, watch.kind, Decimal(55001), wall_clock())
    await story.trade(1).signal("price_crossed", crossing)
    await story.trade(1).result()
    await at_rest(story.handle)
    state = await snapshot(story)
    orders = [
        (leg, o.side, o.order_type, o.status, o.quantity, o.filled_quantity, o.average_price)
        for leg in Leg
        for o in story.orders(leg)
    ]
    trades = {
        number: (t.phase, t.bought, t.sold, t.fees, t.cash_flow)
        for (account, number), t in story.journal.trades.items()
        if account == story.account
    }
    codes = [answer.code for answer in answers]
    entries = [
        (number, record.quantity, record.settings_version, record.verdict.allowed, record.binding)
        for (account, number), record in story.journal.entries.items()
        if account == story.account
    ]
    audited = [action for account, action in story.journal.audits if account == story.account]
    return (
        codes,
        entries,
        sorted(audited),
        (state.settings, state.limits, state.drawdown_limits, state.hedge_target),
        sorted(orders, key=str),
        trades,
        state.balances,
        state.halts,
        story.exchange.totals,
    )


async def the_others(world: World, fault=None):
    """Return what two accounts made of their day while a third had a fault, or none."""
    async with world.running():
        stories = [Story(world, world.add_account()) for _ in range(3)]
        for story in stories:
            await story.begin()
        if fault is not None:
            await fault(stories[0])
        days = [await a_day(story) for story in stories[1:]]
        for story in stories:
            await story.end()
    return days


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_fault_of_one_account_changes_nothing_for_the_others(client, fault):
    healthy = await the_others(World(client))
    beside = await the_others(World(client), fault)
    assert beside == healthy
    assert healthy[0] == healthy[1]
