"""Every message goes through the converter and comes back equal, types included."""

from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from models.contracts import days, orders, records, workflows
from models.contracts.names import ACCOUNT_SIGNALS, TRADE_SIGNALS
from models.trading.account.capital import facts as capital_facts
from models.trading.account.facts import ExchangeReady, OpenRequested
from models.trading.account.state import AccountState, Halt, HaltKind
from models.trading.answers import Answer
from models.trading.capital.flows import CapitalFlow, FlowSource
from models.trading.market import MarketSnapshot
from models.trading.orders import Fill, Leg, OrderSpec, OrderStatus, OrderType, Side
from models.trading.risk.drawdown import start
from models.trading.risk.limits import FeeRates, ProtectionMode
from models.trading.trade.decisions import begin
from models.trading.trade.facts import (
    AmendRefused,
    AmendStop,
    ChildAppeared,
    ExitPosition,
    FillReported,
    OrderAcknowledged,
    OrderEnded,
    OrderRefused,
    StopAmended,
)
from models.trading.trade.figures import summarise
from models.trading.trade.state import TradePlan
from models.trading.trading_day import DayBoundary, DayRule
from models.trading.verdicts import Check, Verdict
from tests.support.fakes import BITCOIN

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ORDER = OrderSpec(
    account="company",
    trade=1,
    leg=Leg.ENTRY,
    client_order_id="8d7a5c3e-0000-5000-8000-000000000001",
    userref=7,
    symbol="BTC/USD",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    quantity=Decimal("0.00010000"),
    limit_price=Decimal("50000.10"),
)
FILL = Fill(
    "T1", "O1", "BTC/USD", Side.BUY, Decimal("1E-8"), Decimal(1), Decimal("1E-8"), Decimal(0), NOW
)
PLAN = TradePlan(
    account="company",
    number=1,
    installation="8d7a5c3e-0000-4000-8000-000000000001",
    instrument=BITCOIN,
    protection=ProtectionMode.SEPARATE,
    entry=ORDER,
    stop_price=Decimal("48000.0"),
    take_profit_price=None,
    trailing_distance=Decimal("12.50"),
    fees=FeeRates(Decimal("0.0025"), Decimal("0.004")),
    reference_price=Decimal("50000.05"),
    source="request/1",
    decided_at=NOW,
    requested_at=NOW,
)
STATE = replace(begin(PLAN).state, fills=(FILL,))
FLOW = CapitalFlow("L", "USD", Decimal(5), Decimal(5), NOW, FlowSource.LEDGER, "exchange")
VERDICT = Verdict((Check("R-5", "insufficient-balance", False, "too much", Decimal(2)),))
ANSWER = Answer("r", "limit-exceeded", "too much", verdict=VERDICT)
ACCOUNT = AccountState(
    "company",
    PLAN.installation,
    instruments={"BTC/USD": BITCOIN},
    balances={"USD": Decimal("100000.0000")},
    trades={1: summarise(STATE)},
    drawdown=start(Decimal("100000.0000"), NOW.date(), NOW),
    waiting_flows=(FLOW,),
    halts=(Halt(HaltKind.KILL_SWITCH, "test", NOW, 3),),
    recent_answers=(replace(ANSWER, verdict=None),),
)
ACKNOWLEDGED = OrderAcknowledged(ORDER.client_order_id, "O1", NOW)
REFUSED = OrderRefused(ORDER.client_order_id, OrderStatus.NOT_PLACED, "absent", NOW)
ENDED = OrderEnded("O1", OrderStatus.CANCELED, Decimal("0.5"), "User requested", NOW)
MARKET = MarketSnapshot("BTC/USD", Decimal(1), Decimal(2), Decimal("1.5"), NOW)

MESSAGES: list[Any] = [
    orders.SubmitOrder(ORDER, NOW),
    orders.OrderPlaced(ACKNOWLEDGED, ended=ENDED),
    orders.OrderPlaced(refused=REFUSED),
    orders.OrderToCancel("company", None, "c", ORDER, NOW),
    orders.OrderCancelled(ENDED),
    orders.EntriesToWithdraw("company", ("O1", "O2")),
    orders.StopToAmend("company", AmendStop("O1", None, Decimal("0.1"), Decimal(9))),
    orders.StopAmendment(StopAmended("O1", Decimal("0.1"), Decimal(9), NOW)),
    orders.StopAmendment(refused=AmendRefused("O1", "gone", True, NOW)),
    orders.PositionToExit(ExitPosition(("O1",), Decimal(0), ORDER), NOW),
    orders.PositionExit((ENDED,), orders.OrderPlaced(ACKNOWLEDGED)),
    orders.OrderStatusRequest("company", 1, ("O1",), children=True),
    orders.OrdersAnswered(
        (ChildAppeared("O2", "O1", Decimal(1), Decimal(9), NOW),),
        (FillReported(FILL, "c"),),
        (ENDED,),
    ),
    capital_facts.PricesMarked({"BTC/USD": Decimal("1.50")}, NOW, NOW),
    days.DaysMeasured(
        (
            capital_facts.DayBoundaryPassed(
                DayBoundary(NOW, NOW.date(), NOW.date()), {"BTC/USD": Decimal(1)}, {}, NOW
            ),
        )
    ),
    days.FlowsToRecord("company", (capital_facts.FlowNoted(FLOW, NOW, Decimal("5.00")),)),
    days.CapitalOutcome(refused=capital_facts.CapitalRefused("r", "me", "no", NOW)),
    days.DayScheduleToKeep("company", DayRule("Europe/Zurich", time(17, 30))),
    records.SaveTrade(STATE, "trade_opened", NOW),
    records.SaveAccount(ACCOUNT, None, "aether", {"a": "b"}, NOW),
    workflows.AccountInput(ACCOUNT, 7, started=True),
    workflows.TradeInput(PLAN, STATE, (ANSWER,), 7),
    ANSWER,
    ACCOUNT,
    ExchangeReady({"USD": Decimal(1)}, {"BTC/USD": BITCOIN}, {"BTC/USD": PLAN.fees}, NOW),
    OpenRequested("r", "me", "BTC/USD", OrderType.MARKET, Decimal(1), MARKET, NOW),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
async def test_message_survives_the_converter(message: object) -> None:
    payloads = await pydantic_data_converter.encode([message])
    (read,) = await pydantic_data_converter.decode(payloads, [type(message)])
    assert read == message
    # Decimals keep their digits; the zone is UTC under pydantic's own name.
    assert repr(read).replace("TzInfo(0)", repr(UTC)) == repr(message)


async def test_older_payload_without_optional_fields_is_still_read() -> None:
    payloads = await pydantic_data_converter.encode([{"plan": PLAN}])
    (read,) = await pydantic_data_converter.decode(payloads, [workflows.TradeInput])
    assert read == workflows.TradeInput(PLAN)


def test_every_signal_has_a_handler_of_its_name() -> None:
    from temporalio import workflow as sdk

    from workflows.account.workflow import AccountWorkflow
    from workflows.trade.workflow import TradeWorkflow

    for names, story in ((TRADE_SIGNALS, TradeWorkflow), (ACCOUNT_SIGNALS, AccountWorkflow)):
        definition = sdk._Definition.must_from_class(story)
        assert set(names.values()) == set(definition.signals)
        for fact, name in names.items():
            assert definition.signals[name].arg_types == [fact]
