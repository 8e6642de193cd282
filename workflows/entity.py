"""What the long-lived workflows share: inbox, background tasks, answers, continue-as-new.

Handlers only put into the inbox. One loop takes facts out, one at a time, and what a decision asks
for is carried out beside the loop, so that no fact waits for an exchange or a database.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError

from models.contracts.workflows import Idle
from models.trading.account.capacity import LIMIT, remembered_answer
from models.trading.answers import Answer
from models.trading.bounds import OutOfBoundsError
from models.trading.message_bounds import (
    check_fact,
    check_request,
    weight_of,
    with_clean_texts,
)

HISTORY_BUDGET_EVENTS = 1_000
ANSWERS_KEPT = 50

Work = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Message:
    """A fact in the inbox; ``request_id`` when somebody waits for an answer."""

    fact: Any
    request_id: str | None = None


class BackgroundTasks:
    """Carries out commands beside the inbox: each key once at a time, each lane in order."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[None]] = {}
        self._lanes: dict[str, deque[tuple[str | None, Work]]] = {}
        self._broken: BaseException | None = None
        self.ended = 0

    def __bool__(self) -> bool:
        return bool(self._running)

    def is_running(self, key: str) -> bool:
        """Tell whether a background task is under way."""
        return key in self._running

    def run(self, key: str, work: Work) -> None:
        """Start work unless the same background task is under way already."""
        if key not in self._running:
            self._running[key] = asyncio.create_task(self._carry_out(key, work))

    def queue(self, lane: str, work: Work, same_as: str | None = None) -> None:
        """Carry work out after what was queued before it; ``same_as`` merges with a waiting equal.

        Only work that looks at the state when it runs may be merged.
        """
        waiting = self._lanes.setdefault(lane, deque())
        if same_as is not None and waiting and waiting[-1][0] == same_as:
            return
        waiting.append((same_as, work))
        self.run(f"lane/{lane}", lambda: self._drain(waiting))

    def raise_if_broken(self) -> None:
        """Let a bug in a background task suspend the workflow instead of passing unnoticed."""
        if self._broken is not None:
            raise self._broken

    async def _drain(self, waiting: deque[tuple[str | None, Work]]) -> None:
        while waiting:
            _, work = waiting.popleft()
            try:
                await work()
            except FailureError as error:
                workflow.logger.warning("background task failed: %s", error.cause or error)

    async def _carry_out(self, key: str, work: Work) -> None:
        try:
            await work()
        except FailureError as error:
            # What was asked for is still due: the next review asks for it again.
            workflow.logger.warning("background task %s failed: %s", key, error.cause or error)
        except Exception as error:  # noqa: BLE001 - raised again by the workflow's own loop
            self._broken = error
        finally:
            del self._running[key]
            self.ended += 1


class Entity:
    """Base of the long-lived workflows. ``handled`` counts facts over all runs."""

    def __init__(self, answers: Iterable[Answer] = (), handled: int = 0) -> None:
        self.inbox: deque[Message] = deque()
        self.background_tasks = BackgroundTasks()
        self.handled = handled
        self._answers = {answer.request_id: answer for answer in answers}
        self._asked: set[str] = set()
        self._stays = False

    def tell(self, *facts: object) -> None:
        """Put facts into the inbox; one that nobody here may hold is not listened to."""
        for fact in facts:
            kept = _within_bounds(fact)
            if kept is not None:
                self.inbox.append(Message(kept))

    async def ask(self, request_id: str, fact: object) -> Answer:
        """Put a request into the inbox and wait for its answer; a repeat gets the same one."""
        if request_id not in self._answers and request_id not in self._asked:
            self._asked.add(request_id)
            self.inbox.append(Message(fact, request_id))
        await workflow.wait_condition(lambda: request_id in self._answers)
        return self._answers[request_id]

    def give_answer(self, told: Message, answer: Answer | None) -> None:
        """Answer the request that a fact came with, and keep the newest answers for repeats."""
        if told.request_id is None:
            return
        if answer is None:
            answer = Answer(told.request_id, "accepted", "")
        self._answers[told.request_id] = replace(answer, request_id=told.request_id)
        self._asked.discard(told.request_id)
        while len(self._answers) > ANSWERS_KEPT:
            del self._answers[next(iter(self._answers))]

    def answers_to_carry(self, *beside: object) -> tuple[Answer, ...]:
        """Return the kept answers without their verdicts, which would bloat the next run.

        None where the next run would be too heavy with them: Temporal ends who sends too much, and
        a repeat that is obeyed again is the smaller harm. What is heavy ``beside`` them stays.
        """
        answers = tuple(remembered_answer(answer) for answer in self._answers.values())
        if weight_of((answers, *beside)) <= LIMIT:
            return answers
        workflow.logger.error("the next run would be too heavy: remembered answers are dropped")
        return ()

    def fits(self, *carried: object) -> bool:
        """Tell whether the next run may begin with this; if not, this run goes on instead.

        That has an end, too, but a far one: tens of thousands of events, and whoever carries so
        much has little left to do.
        """
        if weight_of(carried) <= LIMIT:
            return True
        self._stays = True
        workflow.logger.error("too much to carry into another run: this one goes on")
        return False

    @property
    def settled(self) -> bool:
        """Tell whether everything told was handled and nothing is in flight."""
        return not self.inbox and not self.background_tasks

    @workflow.query
    def rest(self) -> Idle:
        """Tell whether everything told was handled and nothing is in flight.

        A query, for it is asked after every step of a lockstep market and must not grow histories.
        """
        return Idle(settled=self.settled, handled=self.handled, trades=self.open_trades())

    def open_trades(self) -> tuple[int, ...]:
        """Return the trades that are open as far as this workflow knows; an account's."""
        return ()

    async def wait_for_news(self) -> None:
        """Wait for a fact, the end of a background task, or the time to continue as new."""
        ended = self.background_tasks.ended
        await workflow.wait_condition(
            lambda: (
                bool(self.inbox)
                or self.background_tasks.ended != ended
                or self.should_continue_as_new()
            )
        )
        self.background_tasks.raise_if_broken()

    def take(self) -> Message | None:
        """Take the oldest fact, None when there is none."""
        if not self.inbox:
            return None
        self.handled += 1
        return self.inbox.popleft()

    def should_continue_as_new(self) -> bool:
        """Tell whether to continue as new: the history is long and nothing would be cut off."""
        info = workflow.info()
        long = info.is_continue_as_new_suggested()
        long = long or info.get_current_history_length() > HISTORY_BUDGET_EVENTS
        return long and not self._stays and self.settled and workflow.all_handlers_finished()


def refuse_malformed(request: object) -> None:
    """Reject a request before anything of it is written: for validators of updates.

    Raises:
        OutOfBoundsError: a text or number of it is out of bounds.
    """
    check_request(request)


def _within_bounds(fact: object) -> object | None:
    """Return a fact that can be kept, its texts cleaned where they could not; None when it cannot.

    What is told must not be lost for an odd text in it: a refusal is one whatever its words are.
    """
    try:
        check_fact(fact)
    except OutOfBoundsError as error:
        workflow.logger.warning("%s: %s", type(fact).__name__, error)
    else:
        return fact
    cleaned = with_clean_texts(fact)
    try:
        check_fact(cleaned)
    except OutOfBoundsError as error:
        workflow.logger.error("%s is not listened to: %s", type(fact).__name__, error)
        return None
    return cleaned
