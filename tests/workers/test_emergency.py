"""The emergency stop stops before anything is written, and is written as soon as it can be."""

import asyncio
import errno
import json
import os
import stat
import tempfile
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest

from activities.execution.emergency_stop import EmergencyStop
from activities.execution.order_submission import OrderSubmission, OrderTimeouts
from infra.runtime.database.connections import DatabaseUnavailableError
from infra.runtime.emergency import NotStoppedError, StopFile, call_stop, read_order, stop_now
from models.trading.bounds import text_problem
from models.trading.orders import Leg, OrderStatus, OrderType, Side
from tests.support.fakes import FakeExchange, FakeJournal, wall_clock
from tests.support.record_builders import an_order
from tests.support.temporal import eventually
from workers import emergency
from workers.emergency import EmergencyDesk, close_desk, resting_entries


@pytest.fixture
def directory():
    with tempfile.TemporaryDirectory(prefix="stop-", dir="/tmp") as short:
        yield Path(short)


@asynccontextmanager
async def a_desk(directory, exchanges, stop=None, journal=None):
    entries = partial(resting_entries, journal or FakeJournal())
    stop = stop or EmergencyStop()
    desk = EmergencyDesk(directory, StopFile(directory), stop, lambda: exchanges, entries)
    listening = await desk.open()
    yield desk
    await close_desk(listening)


def an_order_to_stop(*accounts, flatten=False):
    return stop_now("the disk is full", "director", accounts, flatten=flatten)


class FullJournal(FakeJournal):
    """A record that cannot be written while ``full``."""

    def __init__(self):
        super().__init__()
        self.full = True
        self.engaged = []

    async def kill_switches(self, *, only_engaged):
        if self.full:
            raise DatabaseUnavailableError("could not extend file: No space left on device")
        return []

    async def next_kill_switch_number(self):
        return 7

    async def engage_kill_switch(self, number, accounts, **facts):
        self.engaged.append((number, tuple(accounts), facts["reason"]))


async def test_stop_withdraws_entries_and_leaves_stops_without_writing_anything(directory):
    exchange, stop = FakeExchange(), EmergencyStop()
    entry = an_order(account="company", limit_price=exchange.price / 2)
    protection = replace(
        entry,
        client_order_id="a-stop",
        leg=Leg.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP_LOSS,
        limit_price=None,
        trigger_price=exchange.price / 2,
    )
    for order in (entry, protection):
        await exchange.submit(order, None)
    async with a_desk(directory, {"company": exchange}, stop):
        answer = await asyncio.to_thread(call_stop, directory, an_order_to_stop())
    assert answer["accounts"] == {"company": "sends no entry; 1 withdrawn"}
    (withdrawn,) = exchange.by_client_id(entry.client_order_id)
    (resting,) = exchange.by_client_id("a-stop")
    assert (withdrawn.status, resting.status) == (OrderStatus.CANCELED, OrderStatus.OPEN)
    assert stop.stops("company")


def a_recorded_order(*accounts):
    return replace(an_order_to_stop(*accounts), recorded=True)


async def two_resting_buys(journal):
    """Let an entry of the record and somebody else's buy rest at the same exchange."""
    exchange = FakeExchange()
    entry = an_order(account="company", limit_price=exchange.price / 2)
    strange = replace(entry, client_order_id="by-hand")
    for order in (entry, strange):
        await exchange.submit(order, None)
    (report,) = exchange.by_client_id(entry.client_order_id)
    await journal.store_intent(entry, wall_clock())
    await journal.mark_order(
        "company", entry.client_order_id, OrderStatus.OPEN, report.order_id, wall_clock()
    )
    return exchange, entry


async def test_recorded_kill_switch_withdraws_own_entries_at_once_and_leaves_no_second_one(
    directory,
):
    journal, stop = FakeJournal(), EmergencyStop()
    exchange, entry = await two_resting_buys(journal)
    other = FakeExchange()
    exchanges = {"company": exchange, "director-1": other}
    async with a_desk(directory, exchanges, stop, journal) as desk:
        answer = await asyncio.to_thread(call_stop, directory, a_recorded_order("company"))
        assert not desk.due.is_set()
    assert answer["accounts"] == {"company": "sends no entry; 1 withdrawn"}
    (withdrawn,) = exchange.by_client_id(entry.client_order_id)
    (by_hand,) = exchange.by_client_id("by-hand")
    assert (withdrawn.status, by_hand.status) == (OrderStatus.CANCELED, OrderStatus.OPEN)
    # The flag of the record holds from here on: nothing in memory outlives its lift.
    assert stop.standing == ()
    assert StopFile(directory).kept() is None


async def test_entries_under_way_are_stopped_while_a_recorded_kill_switch_withdraws(directory):
    stop, asked, go_on = EmergencyStop(), asyncio.Event(), asyncio.Event()

    class SlowJournal(FakeJournal):
        async def orders(self, account, *, only_open=False):
            asked.set()
            await go_on.wait()
            raise DatabaseUnavailableError("gone")

    async with a_desk(directory, {"company": FakeExchange()}, stop, SlowJournal()):
        calling = asyncio.create_task(
            asyncio.to_thread(call_stop, directory, a_recorded_order("company"))
        )
        await asked.wait()
        assert stop.stops("company")
        go_on.set()
        answer = await calling
    assert "its workflow withdraws" in answer["accounts"]["company"]
    assert not stop.stops("company")


async def test_exchange_that_does_not_answer_is_named_and_the_stop_stands(directory):
    silent, stop = FakeExchange(), EmergencyStop()
    silent.down = True
    async with a_desk(directory, {"company": silent}, stop):
        order = an_order_to_stop("company", "director-1")
        answer = await asyncio.to_thread(call_stop, directory, order)
    assert "not withdrawn" in answer["accounts"]["company"]
    assert answer["accounts"]["director-1"] == "its exchange is not in use"
    assert stop.stops("director-1")
    assert not stop.stops("director-2")


async def test_stopped_account_sends_stops_and_no_entry():
    exchange, journal, stop = FakeExchange(), FakeJournal(), EmergencyStop()
    stop.engage(an_order_to_stop("company"))

    def placement():
        return OrderSubmission(
            exchange, journal, wall_clock, OrderTimeouts(), is_stopped=stop.stops
        )

    entry = an_order(account="company")
    placed = await placement().submit_once(entry, wall_clock())
    assert placed.facts[0].reason == "emergency stop"
    assert exchange.submits == []
    other = an_order(account="director-1")
    await placement().submit_once(other, wall_clock())
    assert [one.account for one in exchange.submits] == ["director-1"]


async def test_stop_survives_a_restart_and_is_recorded_when_the_disk_has_room(directory):
    async with a_desk(directory, {}):
        answer = await asyncio.to_thread(call_stop, directory, an_order_to_stop("company"))
        assert answer["durable"]
    journal, stop, started = FullJournal(), EmergencyStop(), asyncio.Event()

    async def accounts():
        return ["company", "director-1"]

    async def start():
        started.set()

    async with a_desk(directory, {}, stop) as desk:
        assert stop.stops("company")
        recording = asyncio.create_task(desk.record_when_possible(journal, accounts, start))
        await asyncio.sleep(0)
        assert stop.stops("company")
        journal.full = False
        await eventually(lambda: not stop.standing, "the record has it")
        recording.cancel()
    assert journal.engaged == [(7, ("company",), "the disk is full")]
    assert started.is_set()
    assert StopFile(directory).kept() is None


class RefusingJournal(FullJournal):
    """A record that refuses one reason for what it holds, and can be away."""

    refused = "refused words"

    async def engage_kill_switch(self, number, accounts, **facts):
        if facts["reason"] == self.refused:
            raise psycopg.DataError("a character that the record does not hold")
        await super().engage_kill_switch(number, accounts, **facts)


async def test_stop_that_can_never_be_recorded_keeps_no_other_from_the_record(
    directory, monkeypatch
):
    monkeypatch.setattr(emergency, "TRY_SECONDS", 0.01)
    journal, stop = RefusingJournal(), EmergencyStop()

    async def accounts():
        return ["company", "director-1"]

    async def start():
        pass

    async with a_desk(directory, {}, stop) as desk:
        recording = asyncio.create_task(desk.record_when_possible(journal, accounts, start))
        first = replace(an_order_to_stop("company"), reason=journal.refused)
        await desk.engage(first)
        await desk.engage(an_order_to_stop("director-1"))
        await asyncio.sleep(0.1)  # an outage of the record gives nothing up
        assert desk.failing == {}
        assert len(stop.standing) == 2
        journal.full = False
        await eventually(lambda: stop.standing == (first,), "the second is recorded")
        assert journal.engaged == [(7, ("director-1",), "the disk is full")]
        await eventually(lambda: first in desk.failing, "the first is given up")
        assert "does not hold" in desk.not_recorded()
        # It stands all the same, also after a restart, and a later one is recorded.
        assert stop.stops("company")
        assert not stop.stops("director-1")
        assert StopFile(directory).kept().accounts == ("company",)
        await desk.engage(replace(an_order_to_stop("director-1"), reason="later"))
        await eventually(lambda: journal.engaged[1:], "a later one is recorded")
        assert not recording.done()
        recording.cancel()


async def test_two_stops_are_kept_as_one_that_is_wide_enough(directory):
    async with a_desk(directory, {}):
        await asyncio.to_thread(call_stop, directory, an_order_to_stop("b", flatten=True))
        await asyncio.to_thread(call_stop, directory, an_order_to_stop("a"))
        kept = StopFile(directory).kept()
        assert (kept.accounts, kept.flatten) == (("a", "b"), True)
        await asyncio.to_thread(call_stop, directory, an_order_to_stop())
        assert StopFile(directory).kept().accounts == ()


def test_stops_given_while_no_trading_process_runs_are_all_kept(directory):
    kept = StopFile(directory)
    assert kept.add(an_order_to_stop("company", flatten=True))
    assert kept.add(an_order_to_stop("director-1"))
    assert (kept.kept().accounts, kept.kept().flatten) == (("company", "director-1"), True)
    assert kept.add(an_order_to_stop())
    assert kept.add(an_order_to_stop("company"))
    assert kept.kept().accounts == ()


@pytest.mark.parametrize("odd", ["\0", "a\0b", "\ud800", "\x1b[2J"])
def test_order_can_always_be_recorded(odd):
    told = {"reason": odd, "by": odd, "at": "2026-01-01T00:00:00+00:00", "accounts": [odd]}
    order = read_order(json.dumps(told | {"flatten": False}).encode())
    for text in (order.reason, order.by, *order.accounts):
        assert text_problem(text) is None


def test_order_that_is_nested_without_end_is_none():
    with pytest.raises(ValueError, match="no order"):
        read_order(b"[" * 4_000)


async def test_only_its_own_user_reaches_the_socket_and_nonsense_stops_nothing(directory):
    stop = EmergencyStop()
    async with a_desk(directory, {}, stop):
        mode = stat.S_IMODE((directory / "stop.sock").stat().st_mode)
        assert mode == 0o600
        reader, writer = await asyncio.open_unix_connection(directory / "stop.sock")
        writer.write(b'{"reason": 1}\n')
        assert await reader.read() == b""
        writer.close()
        assert stop.standing == ()


def test_no_trading_process_is_said(directory):
    with pytest.raises(NotStoppedError):
        call_stop(directory, an_order_to_stop())


def test_file_is_written_in_the_room_that_was_taken(directory, monkeypatch):
    kept = StopFile(directory)
    kept.reserve()
    size = (directory / "emergency-stop").stat().st_size
    assert kept.keep(an_order_to_stop("company"))
    assert (directory / "emergency-stop").stat().st_size == size
    assert kept.kept().accounts == ("company",)
    kept.reserve()
    assert kept.kept().accounts == ("company",)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    assert not kept.keep(an_order_to_stop())


def test_names_that_do_not_fit_stop_everybody():
    order = stop_now("x", "y", tuple(f"account-{n}" for n in range(1_000)), flatten=False)
    assert order.accounts == ()
    assert read_order(order.text()) == order
