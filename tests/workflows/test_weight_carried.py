"""No workflow begins another run with more than Temporal takes in one message."""

import logging
from dataclasses import replace
from decimal import Decimal

import pytest

from models.contracts.hedges import HedgeInput
from models.contracts.platform import PlatformInput
from models.contracts.workflows import TradeInput
from models.trading.account.capacity import ANSWER_LENGTH, LIMIT
from models.trading.answers import Answer
from models.trading.message_bounds import weight_of
from models.trading.orders import Side
from models.trading.trade.state import TradePlan, TradeState
from models.trading.verdicts import Check, Verdict
from tests.models.trading.trading_builders import a_fill, a_plan
from workflows.account.hedge import HedgeWorkflow
from workflows.entity import ANSWERS_KEPT, Entity, Message
from workflows.governance.platform import PlatformWorkflow
from workflows.trade.workflow import TradeWorkflow

TEMPORAL_TAKES = 2_000_000


@pytest.fixture(autouse=True)
def outside(monkeypatch) -> None:
    """Nothing here runs in a workflow, where alone its logger does."""
    monkeypatch.setattr("temporalio.workflow.logger", logging.getLogger(__name__))


def a_trade(executions: int) -> TradeState:
    """A trade whose entry was executed in so many pieces."""
    plan: TradePlan = a_plan()
    piece = a_fill("E", "O1", Side.BUY, Decimal("0.001"))
    fills = tuple(replace(piece, execution_id=f"E{number:016d}") for number in range(executions))
    opened = TradeWorkflow(TradeInput(plan)).first.state
    return replace(opened, fills=fills)


def with_answers(entity: Entity, count: int = 3 * ANSWERS_KEPT) -> Entity:
    """Let a workflow answer many requests at length."""
    checks = tuple(Check("R-1", "c", passed=True, reason="x" * 500) for _ in range(50))
    for number in range(count):
        answer = Answer(f"r-{number}", "accepted", "x" * 5000, verdict=Verdict(checks))
        entity.give_answer(Message(None, f"r-{number}"), answer)
    return entity


def test_a_usual_trade_carries_all_it_has_and_its_answers() -> None:
    state = a_trade(500)
    trade = with_answers(TradeWorkflow(TradeInput(a_plan(), state, handled=7)))
    assert trade.is_carriable()
    carried = TradeInput(trade.plan, *trade.carried())
    assert (carried.plan, carried.state, carried.handled) == (a_plan(), state, 7)
    assert len(carried.answers) == ANSWERS_KEPT
    assert all(len(one.detail) <= ANSWER_LENGTH and one.verdict is None for one in carried.answers)
    assert weight_of(carried) <= TEMPORAL_TAKES


def test_a_heavy_trade_leaves_its_answers_behind_and_nothing_else() -> None:
    answers = weight_of(with_answers(PlatformWorkflow(PlatformInput())).answers_to_carry())
    light, heavier = (weight_of((a_plan(), a_trade(count))) for count in (0, 100))
    state = a_trade(int((LIMIT - answers / 2 - light) / (heavier - light) * 100))
    trade = with_answers(TradeWorkflow(TradeInput(a_plan(), state)))
    assert trade.is_carriable()
    carried = TradeInput(trade.plan, *trade.carried())
    assert carried.answers == ()
    assert carried.state == state
    assert weight_of(carried) <= TEMPORAL_TAKES


def test_a_trade_too_heavy_for_another_run_goes_on_in_this_one(monkeypatch) -> None:
    trade = TradeWorkflow(TradeInput(a_plan(), a_trade(10_000)))
    assert weight_of(trade.carried()) > TEMPORAL_TAKES
    assert not trade.is_carriable()

    class Long:
        def is_continue_as_new_suggested(self) -> bool:
            return True

        def get_current_history_length(self) -> int:
            return 10_000

    monkeypatch.setattr("temporalio.workflow.info", Long)
    monkeypatch.setattr("temporalio.workflow.all_handlers_finished", lambda: True)
    # Or it would try again and again, and do nothing else.
    assert not trade.should_continue_as_new()
    assert TradeWorkflow(TradeInput(a_plan(), a_trade(1))).should_continue_as_new()


@pytest.mark.parametrize("handled", [0, 10**12])
def test_platform_and_hedge_carry_little_however_long_they_ran(handled: int) -> None:
    platform = with_answers(PlatformWorkflow(PlatformInput(handled=handled)))
    carried = PlatformInput(platform.answers_to_carry(), platform.handled)
    assert len(carried.answers) == ANSWERS_KEPT
    assert weight_of(carried) <= LIMIT / 5
    hedge = HedgeWorkflow(HedgeInput("a" * 200, handled))
    for _ in range(1000):
        hedge.tell(object())
    assert weight_of(HedgeInput(hedge.account, hedge.reviews)) < 1000
