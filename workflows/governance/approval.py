"""One request for approval: it waits for another person, for so long, and is decided once.

A workflow of its own, so that people with roles can be put in the place of a second token without
touching what asks for approval.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from temporalio import workflow

from activities.accounts.approvals import ApprovalActivities
from activities.policies import RECORD
from models.contracts.approvals import (
    ApprovalDecision,
    ApprovalInput,
    ApprovalToSettle,
    SaveApproval,
)
from models.trading.answers import Answer
from models.trading.governance.approval import (
    FROZEN,
    NOT_AUTHENTICATED,
    PLATFORM,
    ApprovalOutcome,
    ApprovalSettled,
    ApprovalStatus,
    approve,
    expire,
    hold,
    refuse,
)
from models.trading.market import MarketSnapshot
from workflows.entity import refuse_malformed

DECISIONS_MAXIMUM = 200
"""Attempts to decide one request: each is kept in its history, which has an end."""
PROVEN = "approval-proven"
"""Requests from before the record was asked whether an approval counts go on without."""


@workflow.defn
class ApprovalWorkflow:
    """Wait for a decision or the end of the request's time, then have it carried out."""

    @workflow.init
    def __init__(self, start: ApprovalInput) -> None:
        self.account = start.account
        self.request = start.request
        self.market: MarketSnapshot | None = None
        self.decisions: deque[ApprovalDecision] = deque()
        self.answers: dict[str, Answer] = {}
        self.outcome: Answer | None = None

    @workflow.run
    async def run(self, _start: ApprovalInput) -> ApprovalStatus:
        """Record the request, wait, tell who asked, record the outcome, answer who decided."""
        await self.record()
        while not self.request.status.is_final:
            try:
                await self.wait_for_decision()
            except asyncio.CancelledError:
                # Whoever asked is gone: an approval that came now would be carried out by nobody.
                self.request = refuse(
                    self.request, PLATFORM, workflow.now(), "what asked for it was cancelled"
                ).request
        held = await self.prove()
        if held is not None:
            self.request = hold(self.request, held.detail)
        told = await self.carry_out()
        self.outcome = held or told
        await self.record()
        for decision in self.decisions:
            self.answers[decision.request_id] = self.answer_of(decision)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.request.status

    async def wait_for_decision(self) -> None:
        """Judge the oldest decision, or let the request expire when its time is over."""
        left = self.request.expires_at - workflow.now()
        if left > timedelta(0):
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: bool(self.decisions), timeout=left)
        if not self.decisions:
            self.request = expire(self.request, max(workflow.now(), self.request.expires_at))
            return
        decision = self.decisions[0]
        self.market = decision.market
        judged = self.judge(decision)
        self.request = judged.request
        if not self.request.status.is_final:
            self.decisions.popleft()
            failure = judged.verdict.failures[0]
            self.answers[decision.request_id] = Answer(
                decision.request_id, failure.code, judged.verdict.reason, verdict=judged.verdict
            )

    def judge(self, decision: ApprovalDecision) -> ApprovalOutcome:
        """Apply the rules of approval to a decision."""
        if not decision.approved:
            return refuse(self.request, decision.by, workflow.now(), decision.reason)
        price = decision.market.mid if decision.market is not None else None
        return approve(self.request, decision.by, workflow.now(), price)

    async def prove(self) -> Answer | None:
        """Return why an approval does not count after all, asked of the record; None if it does."""
        is_approved = self.request.status is ApprovalStatus.APPROVED
        if not is_approved or not workflow.patched(PROVEN):
            return None
        answer: Answer = await workflow.execute_activity_method(
            ApprovalActivities.prove_approval, self.to_settle(), **RECORD
        )
        return None if answer.accepted else answer

    async def carry_out(self) -> Answer:
        """Tell who asked what was decided; what that came to is part of the record."""
        answer: Answer = await workflow.execute_activity_method(
            ApprovalActivities.settle_approval, self.to_settle(), **RECORD
        )
        return answer

    def to_settle(self) -> ApprovalToSettle:
        """Return what was decided, and by which decision."""
        request = self.request
        fact = ApprovalSettled(
            request.request_id,
            request.status,
            request.decided_by or "aether",
            self.market,
            workflow.now(),
        )
        decision = self.decisions[0].request_id if self.decisions else ""
        return ApprovalToSettle(self.account, request, fact, decision)

    async def record(self) -> None:
        """Write down where the request stands."""
        await workflow.execute_activity_method(
            ApprovalActivities.save_approval,
            SaveApproval(self.account, self.request, self.outcome),
            **RECORD,
        )

    def answer_of(self, decision: ApprovalDecision) -> Answer:
        """Answer the decision that ended the request, and those that came too late."""
        request = self.request
        assert self.outcome is not None
        if self.outcome.code in (FROZEN, NOT_AUTHENTICATED):
            return replace(self.outcome, request_id=decision.request_id)
        same = decision.by == request.decided_by
        if not same or decision.approved is request.status.is_declined:
            detail = f"the request is {request.status.value} by {request.decided_by or 'nobody'}"
            return Answer(decision.request_id, "approval-decided", detail)
        if request.status is ApprovalStatus.OUTDATED:
            return Answer(decision.request_id, "price-moved", request.reason)
        return replace(self.outcome, request_id=decision.request_id, approval=request.request_id)

    @workflow.update
    async def decide(self, decision: ApprovalDecision) -> Answer:
        """Approve or refuse; answered when what follows from it has been done."""
        if self.outcome is not None:
            return self.answer_of(decision)
        self.decisions.append(decision)
        await workflow.wait_condition(lambda: decision.request_id in self.answers)
        return self.answers[decision.request_id]

    @decide.validator
    def _check_decide(self, decision: ApprovalDecision) -> None:
        refuse_malformed(decision)
        if len(self.answers) + len(self.decisions) >= DECISIONS_MAXIMUM:
            raise ValueError(f"{DECISIONS_MAXIMUM} people have tried to decide: that is enough")
