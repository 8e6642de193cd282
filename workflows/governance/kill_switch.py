"""The kill switch: stop every named account, see their entries gone, stay until it is lifted."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.accounts.records import RecordActivities
from activities.accounts.reports import ReportActivities
from activities.policies import RECORD
from models.contracts.records import SignalKillSwitch
from models.contracts.workflows import (
    AccountAcknowledged,
    AccountsToCheck,
    KillSwitchAcknowledgement,
    KillSwitchInput,
    KillSwitchLift,
    KillSwitchProgress,
    LiftApproved,
    OpenWork,
)
from models.trading.account.facts import KillSwitchEngaged, KillSwitchLifted
from workflows.entity import BackgroundTasks, refuse_malformed

BROADCAST_AGAIN = timedelta(seconds=1)
CHECK_AGAIN = timedelta(seconds=1)
LOOK_RARELY = timedelta(minutes=1)
LOOKS_BEFORE_RARELY = 60
LIFT_AGAIN, LIFT_AGAIN_AT_MOST = timedelta(seconds=1), timedelta(minutes=1)
LIFT_AGAIN_RARELY = timedelta(hours=1)
REFUSALS_BEFORE_RARELY = 60
LIFT_KEPT = "lift-kept"
"""Engagements whose lift was refused before it was kept wait for another approval."""
LIFT_TOLD = "lift-told"
"""Engagements lifted before it had telling of its own have told it under that of the halt."""


@workflow.defn
class KillSwitchWorkflow:
    """One engagement. The flag in the record refuses entries even before an account answers."""

    @workflow.init
    def __init__(self, start: KillSwitchInput) -> None:
        self.start = start
        self.phase = "engaging"
        self.acknowledged: list[str] = []
        self.open_work = OpenWork(0, 0)
        self.lift: LiftApproved | None = None
        self.refused: LiftApproved | None = None
        self.refusals = 0
        self.approved_meanwhile: LiftApproved | None = None
        self.background_tasks = BackgroundTasks()

    @workflow.run
    async def run(self, _start: KillSwitchInput) -> None:
        """Raise the flag and tell the accounts at once; wait; look after; lift when approved."""
        self.background_tasks.run("flag", self.raise_flag)
        await self.halt_accounts()
        await self.watch_work_disappear()
        await workflow.wait_condition(lambda: self.lift is not None)
        while not await self.lift_it():
            if workflow.patched(LIFT_KEPT):
                if self.approved_meanwhile is not None:
                    self.lift, self.approved_meanwhile = self.approved_meanwhile, None
                    continue
                self.refusals += 1
                self.background_tasks.run("lift again", self.lift_again)
                await self.halt_accounts()
                await self.watch_work_disappear()
            await workflow.wait_condition(lambda: self.lift is not None)
        await workflow.wait_condition(lambda: not self.background_tasks)
        await workflow.wait_condition(workflow.all_handlers_finished)

    async def raise_flag(self) -> None:
        """Raise the flag that the order activity reads before each entry."""
        await workflow.execute_activity_method(
            RecordActivities.raise_kill_switch, self.start, **RECORD
        )

    async def halt_accounts(self) -> None:
        """Tell every account that has not answered, again and again, until all have."""
        fact = KillSwitchEngaged(
            self.start.number,
            self.start.flatten,
            self.start.reason,
            self.start.by,
            self.start.at,
            self.start.symbols,
        )
        while self.silent_accounts and self.lift is None:
            for account in self.silent_accounts:
                self.tell(account, fact)
            await self.wait_for(lambda: not self.silent_accounts, BROADCAST_AGAIN)

    async def watch_work_disappear(self) -> None:
        """Look into the record until no entry rests and, if asked for, no position is left."""
        looks = 0
        while self.lift is None:
            self.phase = "flattening" if self.start.flatten else "withdrawing"
            self.open_work = await workflow.execute_activity_method(
                RecordActivities.count_open_work,
                AccountsToCheck(self.start.accounts, self.start.symbols),
                **RECORD,
            )
            positions = self.open_work.open_positions if self.start.flatten else 0
            if self.open_work.open_entries + positions == 0:
                self.phase = "engaged"
                return
            looks += 1
            pause = CHECK_AGAIN if looks < LOOKS_BEFORE_RARELY else LOOK_RARELY
            await self.wait_for(lambda: False, pause)

    async def lift_it(self) -> bool:
        """Lower the flag first, then tell the accounts; False where the record refuses.

        Then nobody who may has approved it, whoever said so, or accounts were not compared since a
        restore: it stands, and the lift is tried again.
        """
        assert self.lift is not None
        lift = KillSwitchLift(self.start.number, self.lift.by, workflow.now())
        lowered: bool = await workflow.execute_activity_method(
            RecordActivities.lower_kill_switch, lift, **RECORD
        )
        if not lowered:
            self.refused, self.lift = self.lift, None
            return False
        for account in self.start.accounts:
            self.tell(account, KillSwitchLifted(lift.number, lift.by, lift.at))
        self.phase = "lifted"
        return True

    async def lift_again(self) -> None:
        """Have the lift that was refused last tried again in a while: an approval is given once."""
        pause = min(LIFT_AGAIN * 2 ** min(self.refusals, 10), LIFT_AGAIN_AT_MOST)
        rarely = self.refusals > REFUSALS_BEFORE_RARELY
        await self.wait_for(lambda: False, LIFT_AGAIN_RARELY if rarely else pause)
        self.lift = self.lift or self.refused

    async def wait_for(self, condition: Callable[[], bool], pause: timedelta) -> None:
        """Wait for the condition or a lift, at most as long as the pause."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: condition() or self.lift is not None, timeout=pause
            )

    @property
    def silent_accounts(self) -> list[str]:
        """Return the accounts that have not acknowledged yet."""
        return [a for a in self.start.accounts if a not in self.acknowledged]

    def tell(self, account: str, fact: KillSwitchEngaged | KillSwitchLifted) -> None:
        """Tell one account by an activity (ADR 7); a missing one does not hold the others.

        Of a lift until it was told: nobody tells it again, and the account would stay halted.

        Accounts answer by signals: an account and a kill switch that signal each other at the same
        moment would both stand still for seconds.
        """
        request = (
            SignalKillSwitch(account, engaged=fact)
            if isinstance(fact, KillSwitchEngaged)
            else SignalKillSwitch(account, lifted=fact)
        )

        async def signal() -> None:
            await workflow.execute_activity_method(
                ReportActivities.tell_of_kill_switch, request, **RECORD
            )

        is_lift = isinstance(fact, KillSwitchLifted)
        own = is_lift and workflow.patched(LIFT_TOLD)
        self.background_tasks.run(f"lifted/{account}" if own else f"tell/{account}", signal)

    @workflow.signal
    def account_acknowledged(self, fact: AccountAcknowledged) -> None:
        """An account is halted."""
        if fact.account in self.silent_accounts:
            self.acknowledged.append(fact.account)
            note = KillSwitchAcknowledgement(
                self.start.number, fact.account, fact.at, self.start.at
            )

            async def record() -> None:
                await workflow.execute_activity_method(
                    RecordActivities.acknowledge_kill_switch, note, **RECORD
                )

            self.background_tasks.queue("acknowledgements", record)

    @workflow.update
    def approve_lift(self, request: LiftApproved) -> KillSwitchProgress:
        """Lift the kill switch: the workflow of the approval says so; the record makes sure."""
        if self.lift is None:
            self.lift = request
        elif request != self.lift:
            # The one that is being tried may be refused for good; this one is then its successor.
            self.approved_meanwhile = request
        return self.progress()

    @approve_lift.validator
    def _check_approve_lift(self, request: LiftApproved) -> None:
        refuse_malformed(request)

    @workflow.query
    def progress(self) -> KillSwitchProgress:
        """Return how far the engagement has come."""
        return KillSwitchProgress(
            self.start.number,
            self.phase,
            tuple(self.acknowledged),
            self.open_work.open_entries,
            self.open_work.open_positions,
        )
