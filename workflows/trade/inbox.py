"""Signals and updates of a trade; what follows from them is in ``workflow``."""

from temporalio import workflow

from models.contracts.workflows import CloseNow, MoveStop
from models.trading.answers import Answer
from models.trading.exits.requests import ExitsChangeRequested
from models.trading.governance.approval import ApprovalSettled
from models.trading.trade.facts import (
    ChildAppeared,
    CloseRequested,
    EntryCancelRequested,
    ExitReason,
    FillReported,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderRefused,
    PartialExitRequested,
    PriceCrossed,
    StopMoveRequested,
)
from workflows.entity import Entity, refuse_malformed
from workflows.governance.approval_steps import proven


class TradeInbox(Entity):
    """Put every fact and request into the inbox; nothing is decided here."""

    @workflow.signal
    def order_acknowledged(self, fact: OrderAcknowledged) -> None:
        """The exchange holds an order."""
        self.tell(fact)

    @workflow.signal
    def order_refused(self, fact: OrderRefused) -> None:
        """An order is proven not to exist."""
        self.tell(fact)

    @workflow.signal
    def order_doubted(self, fact: OrderDoubted) -> None:
        """Nobody can say yet whether an order exists."""
        self.tell(fact)

    @workflow.signal
    def order_filled(self, fact: FillReported) -> None:
        """An order was executed in part or whole."""
        self.tell(fact)

    @workflow.signal
    def order_closed(self, fact: OrderEnded) -> None:
        """An order is final."""
        self.tell(fact)

    @workflow.signal
    def child_appeared(self, fact: ChildAppeared) -> None:
        """An attached stop rests."""
        self.tell(fact)

    @workflow.signal
    def price_crossed(self, fact: PriceCrossed) -> None:
        """A watched level was reached."""
        self.tell(fact)

    @workflow.signal
    def close_requested(self, fact: CloseRequested) -> None:
        """The account wants the trade closed."""
        self.tell(fact)

    @workflow.signal
    def entry_cancel_requested(self, fact: EntryCancelRequested) -> None:
        """The rest of the entry is to be withdrawn."""
        self.tell(fact)

    @workflow.signal
    def partial_exit_requested(self, fact: PartialExitRequested) -> None:
        """The account wants a part sold."""
        self.tell(fact)

    @workflow.signal
    def stop_move_requested(self, fact: StopMoveRequested) -> None:
        """The account wants the stop brought up."""
        self.tell(fact)

    @workflow.update
    async def close_now(self, request: CloseNow) -> Answer:
        """Close the trade."""
        fact = CloseRequested(ExitReason.REQUESTED, request.by, request.at, request.price)
        return await self.ask(request.request_id, fact)

    @close_now.validator
    def _check_close_now(self, request: CloseNow) -> None:
        refuse_malformed(request)

    @workflow.update
    async def move_stop(self, request: MoveStop) -> Answer:
        """Move stop or target, never to a worse protection."""
        prices = (request.stop_price, request.take_profit_price)
        fact = StopMoveRequested(*prices, request.by, request.at, request.price)
        return await self.ask(request.request_id, fact)

    @workflow.update
    async def change_exits(self, request: ExitsChangeRequested) -> Answer:
        """Change any exit; what protects less waits for a second person."""
        return await self.ask(request.request_id, request)

    @change_exits.validator
    def _check_change_exits(self, request: ExitsChangeRequested) -> None:
        refuse_malformed(request)

    @workflow.update
    async def settle_approval(self, request: ApprovalSettled) -> Answer:
        """Take what a second person decided about exits that waited."""
        account = workflow.info().workflow_id.partition("/")[2].rpartition("/")[0]
        return await self.ask(request.request_id, await proven(account, request))

    @settle_approval.validator
    def _check_settle_approval(self, request: ApprovalSettled) -> None:
        refuse_malformed(request)

    @move_stop.validator
    def _check_move_stop(self, request: MoveStop) -> None:
        refuse_malformed(request)
