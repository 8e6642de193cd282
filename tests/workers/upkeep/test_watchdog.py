"""Whatever ends an account or a trade from outside: it comes back, and nothing is sent twice."""

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.adapters.postgres.orders.restoration import RestorationRecord
from activities.adapters.temporal.approval_start import start_approval
from activities.adapters.temporal.liveness import expected_workflows, silent_workflows
from models.contracts.approvals import ApprovalInput
from models.contracts.names import (
    account_workflow_id,
    approval_workflow_id,
    hedge_workflow_id,
    kill_switch_workflow_id,
    stream_workflow_id,
    trade_workflow_id,
)
from models.trading.account.state import AccountState, HaltKind
from models.trading.governance.approval import ApprovalRequest
from models.trading.governance.subjects import Subject
from models.trading.orders import OrderStatus, OrderType, Side
from tests.support.fakes import wall_clock
from tests.support.lifting import lift_in_record, lift_kill_switch
from tests.support.platform import PRICE, a_key
from tests.support.temporal import eventually
from workers.upkeep.restoring import Restorer
from workers.upkeep.watchdog import Watchdog

STOP = "47500"


class Guarded:
    """One account with its exchange, and a watchdog that looks after it alone."""

    def __init__(self, platform, account, exchange):
        self.platform, self.account, self.exchange = platform, account, exchange
        self.client, self.journal = platform.services.client, platform.records
        self.record = RestorationRecord(platform.workers)
        restorer = Restorer(self.client, self.journal, self.record, platform.world.directory)
        self.watchdog = Watchdog(self.client, self.journal, self.record, restorer, self.names)

    async def names(self):
        return [self.account]

    async def open(self, **changed):
        body = {"symbol": "BTC/USD", "stop_price": STOP, "quantity": "0.01"} | changed
        path = f"/api/v1/accounts/{self.account}/trades"
        return await self.platform.caller.post(path, json=body, headers=a_key())

    async def opened(self):
        answer = await self.open()
        assert answer.status_code == 202, answer.text
        number = answer.json()["trade"]
        await eventually(self.is_protected, "its stop rests")
        # What is written down last before an end is what a restoration has.
        await eventually(lambda: self.recorded_as(number, "open"), "it is recorded as open")
        return number

    def stops(self):
        return [
            o
            for o in self.exchange.orders.values()
            if o.status is OrderStatus.OPEN and o.order_type is OrderType.STOP_LOSS
        ]

    def is_protected(self):
        held = sum(o.filled_quantity * (1 if o.side is Side.BUY else -1) for o in self.everything())
        return held > 0 and sum(o.quantity - o.filled_quantity for o in self.stops()) == held

    def everything(self):
        return self.exchange.orders.values()

    async def recorded_as(self, number, phase):
        path = f"/api/v1/accounts/{self.account}/trades/{number}"
        return (await self.platform.caller.get(path)).json().get("phase") == phase

    async def end(self, *workflow_ids):
        for name in workflow_ids:
            await self.client.get_workflow_handle(name).terminate("by somebody outside")

    async def end_what_runs(self, *workflow_ids):
        for name in workflow_ids:
            with suppress(RPCError):
                await self.end(name)

    async def runs(self, workflow_id):
        seen = await self.client.get_workflow_handle(workflow_id).describe()
        return seen.status is WorkflowExecutionStatus.RUNNING

    async def state(self):
        handle = self.client.get_workflow_handle(account_workflow_id(self.account))
        return await handle.query("snapshot", result_type=AccountState)

    async def trading(self):
        return not (await self.state()).halts

    def sent_once(self):
        return not [
            n for n, c in Counter(o.client_order_id for o in self.everything()).items() if c > 1
        ]


@pytest.fixture
async def guarded(platform):
    account = await platform.add_account()
    await platform.set_market()
    exchange = await platform.start_account(account)
    return Guarded(platform, account, exchange)


async def test_ended_account_and_trades_come_back_and_nothing_is_sent_twice(guarded):
    numbers = [await guarded.opened(), await guarded.opened()]
    sent, submits = dict(guarded.exchange.orders), len(guarded.exchange.submits)
    trades = [trade_workflow_id(guarded.account, n) for n in numbers]
    everything = [
        account_workflow_id(guarded.account),
        stream_workflow_id(guarded.account),
        hedge_workflow_id(guarded.account),
        *trades,
    ]
    await guarded.end(*everything)
    assert not any([await guarded.runs(name) for name in everything])

    await guarded.watchdog.look()

    assert all([await guarded.runs(name) for name in everything])
    assert guarded.watchdog.silent == {}
    await eventually(guarded.trading, "it was compared with the exchange and trades")
    assert guarded.is_protected()
    assert guarded.exchange.orders.keys() == sent.keys()
    assert len(guarded.exchange.submits) == submits
    restored = await guarded.platform.audited(guarded.account, "account_restored")
    assert restored[0]["details"]["found"] == "does not run: terminated"
    assert len(await guarded.platform.audited(guarded.account, "trade_restored")) >= 2

    # It goes on: a further trade gets a number of its own, and one restored closes as always.
    assert await guarded.opened() == max(numbers) + 1
    path = f"/api/v1/accounts/{guarded.account}/trades/{numbers[0]}/close"
    closed = await guarded.platform.caller.post(path, headers=a_key())
    assert closed.status_code in (200, 202), closed.text
    await eventually(lambda: guarded.recorded_as(numbers[0], "settled"), "it is settled")
    assert guarded.sent_once()
    state = await guarded.state()
    assert sorted(state.trades) == [numbers[1], max(numbers) + 1]


async def test_a_restored_account_takes_no_entry_until_it_was_compared(guarded):
    await guarded.opened()
    guarded.exchange.down = True
    await guarded.end(account_workflow_id(guarded.account))
    await guarded.watchdog.look()
    refused = await guarded.open()
    assert refused.status_code in (409, 503)
    assert "no-exchange" in refused.text
    guarded.exchange.down = False


async def test_what_happened_while_a_trade_was_ended_is_learnt_when_it_comes_back(guarded):
    number = await guarded.opened()
    await guarded.end(trade_workflow_id(guarded.account, number))
    guarded.exchange.set_price(PRICE * 9 / 10)
    await guarded.watchdog.look()
    await eventually(lambda: guarded.recorded_as(number, "settled"), "the stop's sale is booked")

    async def told():
        return number not in (await guarded.state()).trades

    await eventually(told, "the account knows")
    assert not guarded.stops()


async def test_a_lost_stop_is_placed_anew_under_an_id_of_its_own(guarded):
    number = await guarded.opened()
    await guarded.end(trade_workflow_id(guarded.account, number))
    (stop,) = guarded.stops()
    await guarded.exchange.cancel(stop.order_id)
    await guarded.watchdog.look()
    await eventually(guarded.is_protected, "another stop rests")
    assert guarded.stops()[0].client_order_id != stop.client_order_id


async def test_a_trade_whose_plan_is_lost_is_protected_by_rule_and_halts_its_account(
    guarded, monkeypatch
):
    number = await guarded.opened()
    await guarded.end(trade_workflow_id(guarded.account, number))
    (stop,) = guarded.stops()
    await guarded.exchange.cancel(stop.order_id)
    guarded.record.trade = without_state(guarded.record.trade)
    monkeypatch.setattr(Restorer, "_as_started", unknown)
    await guarded.watchdog.look()
    await eventually(guarded.is_protected, "a stop by rule rests")
    (other,) = guarded.stops()
    assert other.client_order_id != stop.client_order_id
    halts = [halt.reason for halt in (await guarded.state()).halts]
    assert halts == [f"the plan of trade {number} is lost: it is protected by rule, look at it"]


async def unknown(*_):
    return None


def without_state(read):
    async def trade(account, number):
        material = await read(account, number)
        return type(material)(None, material.orders, material.fills)

    return trade


async def test_an_ended_kill_switch_comes_back_and_flattens_what_a_silent_account_held(guarded):
    await guarded.opened()
    await guarded.end(account_workflow_id(guarded.account))
    body = {"reason": "a drill", "accounts": [guarded.account], "flatten": True}
    path = "/api/v1/kill-switch"
    engaged = await guarded.platform.caller.post(path, json=body, headers=a_key())
    assert engaged.status_code == 202
    assert engaged.json()["silent"] == [guarded.account]
    number = engaged.json()["number"]
    await guarded.end(kill_switch_workflow_id(number))

    await guarded.watchdog.look()

    assert await guarded.runs(kill_switch_workflow_id(number))
    await eventually(lambda: not guarded.stops(), "all is sold")
    assert (await lift_kill_switch(guarded.platform, number)).status_code == 200


@pytest.mark.parametrize("symbols", [[], ["BTC/USD"]], ids=["all pairs", "a pair"])
async def test_account_that_missed_the_lift_is_told_of_it_when_it_comes_back(
    guarded, postgres, api_database, symbols
):
    body = {"reason": "a drill", "accounts": [guarded.account], "symbols": symbols}
    engaged = await guarded.platform.caller.post("/api/v1/kill-switch", json=body, headers=a_key())
    number = engaged.json()["number"]

    async def recorded():
        path = f"/api/v1/accounts/{guarded.account}/trades"
        stopped = (await guarded.state()).pair_stops or (await guarded.state()).halts
        order = {"symbol": "BTC/USD", "stop_price": STOP, "quantity": "0.01"}
        answer = await guarded.platform.caller.post(path, json=order, headers=a_key())
        return stopped and answer.status_code == 409

    await eventually(recorded, "the account is stopped")
    await guarded.end(account_workflow_id(guarded.account), kill_switch_workflow_id(number))
    lift_in_record(postgres.url("postgres", api_database), number)

    await guarded.watchdog.look()

    async def trades():
        state = await guarded.state()
        return not state.halts and not state.pair_stops

    await eventually(trades, "it takes entries again")


@pytest.mark.parametrize("seconds", [0, 0.02, 0.05, 0.1, 0.3])
async def test_whatever_moment_it_is_ended_at_it_is_protected_and_nothing_is_doubled(
    guarded, seconds
):
    answer = await guarded.open()
    number = answer.json()["trade"]
    await asyncio.sleep(seconds)
    await guarded.end_what_runs(
        account_workflow_id(guarded.account), trade_workflow_id(guarded.account, number)
    )

    async def settled():
        await guarded.watchdog.look()
        if not guarded.exchange.submits:
            return True  # ended before the entry left: nothing was bought
        by_rule = {HaltKind.REQUESTED}  # where not even its plan was left
        halts = {halt.kind for halt in (await guarded.state()).halts}
        return guarded.is_protected() and halts <= by_rule

    await eventually(settled, "it is protected and was compared")
    await guarded.watchdog.look()
    assert guarded.watchdog.silent == {}
    assert guarded.sent_once()
    bought = [o for o in guarded.everything() if o.side is Side.BUY]
    assert len(bought) <= 1


async def test_a_request_that_nobody_decides_on_any_more_waits_again(guarded):
    request = ApprovalRequest(
        request_id=str(uuid4()),
        subject=Subject.ENTRY,
        requested_by="director",
        detail="a large entry",
        requested_at=wall_clock(),
        expires_at=wall_clock() + timedelta(hours=1),
    )
    await start_approval(guarded.client, ApprovalInput(guarded.account, request))
    name = approval_workflow_id(guarded.account, request.request_id)

    async def recorded():
        found = await guarded.record.pending_approvals(guarded.account)
        return request.request_id in {one.request_id for one in found}

    await eventually(recorded, "it is recorded")
    await guarded.end(name)
    await guarded.watchdog.look()
    assert await guarded.runs(name)


async def test_a_workflow_that_does_not_run_is_named(guarded):
    number = await guarded.opened()
    expected = expected_workflows([guarded.account], [(guarded.account, number)])
    assert await silent_workflows(guarded.client, expected) == []
    await guarded.end(trade_workflow_id(guarded.account, number))
    (silent,) = await silent_workflows(guarded.client, expected)
    assert silent.workflow_id == trade_workflow_id(guarded.account, number)
    assert silent.detail == "does not run: terminated"
