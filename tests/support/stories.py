"""Words for workflow stories: an account that follows its exchange, and what people ask of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from models.contracts.names import (
    REST_QUERY,
    account_workflow_id,
    stream_workflow_id,
    trade_workflow_id,
)
from models.contracts.workflows import AccountInput, AccountToFollow, Idle
from models.trading.account.facts import OpenRequested
from models.trading.account.figures import FigureTimes
from models.trading.account.settings.in_force import SettingsInForce
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.governance.approval import ApprovalPolicy
from models.trading.market import MarketSnapshot
from models.trading.orders import Leg, OrderReport, OrderStatus, OrderType
from models.trading.risk.limits import AccountLimits
from tests.support.books import a_book
from tests.support.fakes import BITCOIN, FakeExchange, wall_clock
from tests.support.temporal import World, eventually

TASK_TIMEOUT = timedelta(seconds=2)
LIMITS = AccountLimits(
    pair_exposure_share=Decimal("0.9"),
    gross_exposure_share=Decimal("0.95"),
    open_trades_maximum=500,
    open_trades_per_pair=500,
)

ANY_SIZE = ApprovalPolicy(equity_share_minimum=None)
WIDE_SETTINGS = SettingsInForce(
    0,
    '{"portfolio.group_share":"0.95","portfolio.bucket_share":"0.95",'
    '"losses.open_risk_soft_share":"0.9","losses.open_risk_hard_share":"0.95",'
    '"portfolio.orders_maximum":600,"evidence.cost_budget_share":"1"}',
)


class Story:
    """One account with its workflows running."""

    def __init__(self, world: World, account: str) -> None:
        self.world = world
        self.account = account
        self.exchange: FakeExchange = world.directory.exchanges[account]
        self.journal = world.journal

    @property
    def handle(self) -> WorkflowHandle:
        return self.world.client.get_workflow_handle(account_workflow_id(self.account))

    def trade(self, number: int) -> WorkflowHandle:
        return self.world.client.get_workflow_handle(trade_workflow_id(self.account, number))

    async def begin(self, **changed: object) -> None:
        state = replace(_a_state(self.account), **changed)
        await self.world.client.start_workflow(
            "AccountWorkflow",
            AccountInput(state),
            id=account_workflow_id(self.account),
            task_queue=self.world.queue,
            task_timeout=TASK_TIMEOUT,
        )
        await self.world.client.start_workflow(
            "AccountStreamWorkflow",
            AccountToFollow(self.account, (BITCOIN.symbol,)),
            id=stream_workflow_id(self.account),
            task_queue=self.world.queue,
            task_timeout=TASK_TIMEOUT,
        )
        await eventually(self.knows_exchange, "the account knows its exchange")

    async def knows_exchange(self) -> bool:
        saved = self.journal.saved_accounts.get(self.account)
        return saved is not None and "USD" in saved.balances

    async def end(self) -> None:
        for name in (account_workflow_id(self.account), stream_workflow_id(self.account)):
            await self.world.client.get_workflow_handle(name).terminate("the story is over")

    def a_request(self, **changed: object) -> OpenRequested:
        price = self.exchange.price
        market = MarketSnapshot(
            symbol=BITCOIN.symbol,
            bid=price - 1,
            ask=price + 1,
            last=price,
            observed_at=wall_clock(),
            book=a_book(price - 1, price + 1),
            book_at=wall_clock(),
            average_true_range=price / 1000,
            volatility=Decimal("0.001"),
            measured_at=wall_clock(),
        )
        request = OpenRequested(
            request_id=str(uuid4()),
            by="tester",
            symbol=BITCOIN.symbol,
            order_type=OrderType.MARKET,
            stop_price=price * Decimal("0.95"),
            market=market,
            at=wall_clock(),
            quantity=Decimal("0.01"),
            take_profit_price=price * Decimal("1.10"),
        )
        return replace(request, **changed)

    async def open(self, **changed: object) -> Answer:
        request = self.a_request(**changed)
        answer: Answer = await self.handle.execute_update(
            "open_trade", request, id=request.request_id, result_type=Answer
        )
        if answer.trade is not None:
            trade = answer.trade
            await eventually(lambda: self.exists(trade), "the trade's workflow exists")
        return answer

    async def exists(self, trade: int) -> bool:
        """Tell whether a trade's workflow is known: it starts in the turn that answers."""
        try:
            await self.trade(trade).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    def orders(self, leg: Leg, trade: int | None = None) -> list[OrderReport]:
        """Return the exchange's reports of the orders of one leg."""
        own = [
            o
            for o in self.journal.intents.values()
            if o.spec.account == self.account
            and o.spec.leg is leg
            and (trade is None or o.spec.trade == trade)
        ]
        return [r for o in own for r in self.exchange.by_client_id(o.spec.client_order_id)]

    def resting_stops(self, trade: int | None = None) -> list[OrderReport]:
        return [o for o in self.orders(Leg.STOP, trade) if o.status is OrderStatus.OPEN]

    async def until_protected(self, trade: int = 1) -> OrderReport:
        stops = await eventually(lambda: self.resting_stops(trade), f"trade {trade} is protected")
        return stops[0]


def _a_state(account: str) -> AccountState:
    return AccountState(
        account,
        str(uuid4()),
        limits=LIMITS,
        approval=ANY_SIZE,
        settings=WIDE_SETTINGS,
        figure_times=told_now(),
    )


def told_now() -> FigureTimes:
    """Return times at which the market worker would have told what it makes once a day."""
    now = wall_clock()
    return FigureTimes(universe=now, groups=now)


async def at_rest(handle: WorkflowHandle[Any, Any]) -> Idle:
    """Wait until a workflow has handled everything told and nothing of it is in flight."""

    async def resting() -> Idle | None:
        answer: Idle = await handle.query(REST_QUERY, result_type=Idle)
        return answer if answer.settled else None

    return await eventually(resting, f"{handle.id} is at rest")
