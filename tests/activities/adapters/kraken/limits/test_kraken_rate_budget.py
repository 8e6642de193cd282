import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.adapters.kraken.limits.priority_gate import Priority, PriorityGate
from activities.adapters.kraken.limits.rate_budget import (
    INTERMEDIATE,
    PROOF_COST,
    STARTER,
    TIERS,
    RateBudget,
    amend_cost,
    cancel_cost,
)
from activities.ports.exchange_errors import RateLimitedError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_worked_example_of_the_documentation_charges_eight():
    clock = Clock()
    budget = RateBudget(clock=clock)
    counter = budget._trading["BTC/USD"]
    charges = []

    async def charged(admission):
        before = counter.level
        await admission
        charges.append(counter.level - before)

    await charged(budget.admit_add("BTC/USD", Priority.ENTRY))
    budget.orders.touch("O1", "BTC/USD")
    clock.now += 7
    await charged(budget.admit_amend("O1", Priority.PROTECT))
    budget.orders.touch("O1", "BTC/USD")
    clock.now += 36
    await charged(budget.admit_cancel("O1"))
    assert charges == [1, 3, 4]


@pytest.mark.parametrize(
    ("age", "amend", "cancel"),
    [
        (0, 4, 8),
        (4.9, 4, 8),
        (5, 3, 6),
        (10, 2, 5),
        (15, 1, 4),
        (44, 1, 4),
        (45, 1, 2),
        (90, 1, 1),
        (299, 1, 1),
        (300, 1, 0),
    ],
)
def test_costs_follow_the_age_of_the_order(age, amend, cancel):
    assert amend_cost(age) == amend
    assert cancel_cost(age) == cancel


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "amend", "cancel", "read"]),
        st.sampled_from(list(Priority)),
        st.floats(0, 30),
    ),
    max_size=150,
)


@given(st.sampled_from(list(TIERS.values())), ACTIONS)
@settings(max_examples=60, deadline=None)
def test_admitted_calls_never_exceed_the_limit(tier, actions):
    clock = Clock()
    budget = RateBudget(tier, clock=clock, patience_seconds=0)
    # An independent model of the exchange's two counters.
    levels = {"read": 0.0, "trading": 0.0}
    waits: list[float] = []

    async def run() -> None:
        for kind, priority, pause in actions:
            clock.now += pause
            levels["read"] = max(0.0, levels["read"] - pause * tier.read_decay)
            levels["trading"] = max(0.0, levels["trading"] - pause * tier.trading_decay)
            age = budget.orders.age("O1")
            try:
                if kind == "add":
                    await budget.admit_add("BTC/USD", priority)
                    levels["trading"] += 1
                    budget.orders.touch("O1", "BTC/USD")
                elif kind == "read":
                    await budget.admit_read(2, priority)
                    levels["read"] += 2
                elif budget.orders.symbol("O1"):
                    if kind == "amend":
                        await budget.admit_amend("O1", priority)
                        levels["trading"] += amend_cost(age)
                        budget.orders.touch("O1", "BTC/USD")
                    else:
                        await budget.admit_cancel("O1")
                        levels["trading"] += cancel_cost(age)
            except RateLimitedError as refused:
                waits.append(refused.retry_after_seconds)
            assert levels["read"] <= tier.read_maximum + 1e-6
            assert levels["trading"] <= tier.trading_maximum + 1e-6

    asyncio.run(run())
    assert all(wait > 0 for wait in waits)


async def test_protection_finds_room_where_entries_do_not():
    budget = RateBudget(STARTER, clock=Clock(), patience_seconds=0)
    for _ in range(39):
        await budget.admit_add("BTC/USD", Priority.ENTRY)
    with pytest.raises(RateLimitedError):
        await budget.admit_add("BTC/USD", Priority.ENTRY)
    for _ in range(21):
        await budget.admit_add("BTC/USD", Priority.PROTECT)
    with pytest.raises(RateLimitedError):
        await budget.admit_add("BTC/USD", Priority.PROTECT)
    await budget.admit_add("ETH/USD", Priority.ENTRY)


async def test_those_who_wait_are_admitted_by_importance():
    budget = RateBudget(INTERMEDIATE, patience_seconds=5)
    budget._reads.charge(19.99)
    budget._reads._decay = 200.0
    done: list[Priority] = []

    async def ask(priority: Priority) -> None:
        await budget.admit_read(2, priority)
        done.append(priority)

    order = [Priority.READ, Priority.ENTRY, Priority.EXIT, Priority.PROTECT]
    await asyncio.gather(*(ask(priority) for priority in order))
    assert done == sorted(order)


async def test_waiting_is_bounded_in_number_and_time():
    clock = Clock()
    budget = RateBudget(clock=clock, patience_seconds=30, waiting_maximum=1)
    budget._reads.charge(20)
    waiting = asyncio.create_task(budget.admit_read())
    await asyncio.sleep(0)
    with pytest.raises(RateLimitedError):
        await budget.admit_read()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_exchanges_own_refusal_is_counted_and_fills_the_model():
    budget = RateBudget(clock=Clock(), patience_seconds=0)
    budget.refused("EOrder:Rate limit exceeded", "BTC/USD")
    budget.refused("EAPI:Rate limit exceeded", None)
    headroom = budget.headroom()
    assert headroom.refusals == 2
    assert headroom.reads == 0
    assert headroom.trading == {"BTC/USD": 0}
    with pytest.raises(RateLimitedError):
        await budget.admit_add("BTC/USD", Priority.PROTECT)


async def test_a_batch_cancel_is_charged_even_beyond_the_limit():
    budget = RateBudget(STARTER, clock=Clock())
    for number in range(50):
        budget.orders.touch(f"O{number}", "BTC/USD")
    budget.charge_batch_cancel([f"O{number}" for number in range(50)])
    assert budget._trading["BTC/USD"].level == 400


async def test_gate_lets_the_important_pass_and_survives_cancellation():
    gate = PriorityGate()
    await gate.enter(Priority.READ)
    passed: list[str] = []

    async def use(name: str, priority: Priority) -> None:
        await gate.enter(priority)
        passed.append(name)
        gate.leave()

    tasks = [
        asyncio.create_task(use("read", Priority.READ)),
        asyncio.create_task(use("gone", Priority.PROTECT)),
        asyncio.create_task(use("stop", Priority.PROTECT)),
        asyncio.create_task(use("exit", Priority.EXIT)),
    ]
    await asyncio.sleep(0)
    tasks[1].cancel()
    gate.leave()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert passed == ["stop", "exit", "read"]
    await gate.enter(Priority.READ)


async def test_looking_for_what_went_unheard_leaves_room_for_the_questions_of_an_exit():
    budget = RateBudget(clock=lambda: 0.0, patience_seconds=0.0)
    while budget.seconds_until_read(1.0, Priority.RECOVERY) == 0.0:
        await budget.admit_read(1.0, Priority.RECOVERY)
    assert budget.seconds_until_read(PROOF_COST, Priority.PROTECT) == 0.0
