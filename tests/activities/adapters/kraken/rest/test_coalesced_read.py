"""One request answers all who asked before it was sent, and nobody who asked after."""

import asyncio

import pytest

from activities.adapters.kraken.limits.priority_gate import Priority
from activities.adapters.kraken.limits.rate_budget import Counter
from activities.adapters.kraken.rest.coalesced_read import CoalescedRead
from activities.ports.exchange_errors import RateLimitedError


class Desk:
    """Admits when told to and remembers what was sent."""

    def __init__(self):
        self.admitting = {priority: asyncio.Event() for priority in Priority}
        self.answering = asyncio.Event()
        self.sent = []
        self.shared = CoalescedRead(self.admit, self.send, maximum=3)

    async def admit(self, priority):
        await self.admitting[priority].wait()

    async def send(self, wishes, priority):
        self.sent.append((wishes, priority))
        number = len(self.sent)
        await self.answering.wait()
        return number

    def ask(self, *wishes, priority=Priority.READ):
        return asyncio.create_task(self.shared.ask(list(wishes), priority))


async def turns():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_those_who_wait_are_answered_by_one_request():
    desk = Desk()
    asking = [desk.ask("a"), desk.ask("b", "a")]
    await turns()
    desk.admitting[Priority.READ].set()
    desk.answering.set()
    assert await asyncio.gather(*asking) == [1, 1]
    assert desk.sent == [(["a", "b"], Priority.READ)]


async def test_who_asks_after_the_request_was_sent_gets_the_next():
    desk = Desk()
    desk.admitting[Priority.READ].set()
    early = desk.ask("a")
    await turns()
    late = desk.ask("a")
    await turns()
    desk.answering.set()
    assert [await early, await late] == [1, 2]


async def test_more_urgent_question_carries_those_who_wait_with_it():
    desk = Desk()
    slow = desk.ask("a", priority=Priority.BACKGROUND)
    await turns()
    urgent = desk.ask("b", priority=Priority.PROTECT)
    desk.admitting[Priority.PROTECT].set()
    desk.answering.set()
    assert [await slow, await urgent] == [1, 1]
    assert desk.sent == [(["a", "b"], Priority.PROTECT)]


async def test_urgent_question_does_not_wait_for_a_slow_request_under_way():
    desk = Desk()
    desk.admitting[Priority.READ].set()
    desk.admitting[Priority.PROTECT].set()
    asking = [desk.ask("a")]
    await turns()
    asking.append(desk.ask("b"))
    await turns()
    assert len(desk.sent) == 1
    asking.append(desk.ask("c", priority=Priority.PROTECT))
    await turns()
    assert desk.sent == [(["a"], Priority.READ), (["b", "c"], Priority.PROTECT)]
    desk.answering.set()
    assert await asyncio.gather(*asking) == [1, 2, 2]


async def test_what_does_not_fit_goes_into_another_request():
    desk = Desk()
    asking = [desk.ask("a", "b"), desk.ask("c", "d")]
    desk.admitting[Priority.READ].set()
    desk.answering.set()
    assert await asyncio.gather(*asking) == [1, 2]


async def test_nobody_waiting_means_nothing_is_sent():
    desk = Desk()
    asking = desk.ask("a")
    await turns()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    desk.admitting[Priority.READ].set()
    await turns()
    assert desk.sent == []


async def test_refused_admission_is_told_to_all_and_the_next_question_starts_afresh():
    counter = Counter(1, 0.001, asyncio.get_running_loop().time, 10)
    counter.fill()

    async def admit(priority):
        await counter.admit(1.0, priority, patience_seconds=0.01)

    async def send(wishes, priority):
        return wishes

    shared = CoalescedRead(admit, send)
    outcomes = await asyncio.gather(
        shared.ask(["a"], Priority.READ), shared.ask(["b"], Priority.EXIT), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [RateLimitedError, RateLimitedError]
    counter.refund(1.0)
    assert await shared.ask(["c"], Priority.PROTECT) == ["c"]


async def test_failed_request_is_told_to_all():
    async def admit(priority):
        await asyncio.sleep(0)

    async def send(wishes, priority):
        raise ValueError("no")

    shared = CoalescedRead(admit, send)
    for outcome in await asyncio.gather(
        *(shared.ask([1], Priority.READ) for _ in range(2)), return_exceptions=True
    ):
        with pytest.raises(ValueError, match="no"):
            raise outcome
