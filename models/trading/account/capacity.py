"""How much an account may carry: growth is refused long before Temporal would end the workflow.

What an account carries goes from run to run as one message. Temporal refuses a message of more than
two million bytes and ends the workflow that sends it. So requests that make the state grow are
refused when it is large; those that stop, close or decide never are. As a last resort, what can be
done without is left behind.
"""

from dataclasses import replace
from typing import Final

from models.trading.account.capital.facts import CapitalRequested
from models.trading.account.decision import AccountDecision
from models.trading.account.facts import (
    AccountFact,
    IdeaArrived,
    LimitsChangeRequested,
    OpenRequested,
    RecordIdea,
    SettingsChangeRequested,
)
from models.trading.account.hedge.facts import HedgeOverrideRequested
from models.trading.account.state import AccountState
from models.trading.answers import Answer
from models.trading.bounds import cleaned_text
from models.trading.message_bounds import weight_of
from models.trading.verdicts import Check, Verdict

BUDGET: Final = 1_000_000
"""Bytes from which nothing is taken that makes the state grow: half of what Temporal takes."""
LIMIT: Final = 1_500_000
"""Bytes above which remembered answers and requests are left behind at a new run."""
ANSWER_LENGTH: Final = 1_000
"""How much of an answer's detail is remembered for a repeat."""
WEIGHED_EVERY: Final = 64

GROWING = (
    OpenRequested,
    IdeaArrived,
    SettingsChangeRequested,
    LimitsChangeRequested,
    CapitalRequested,
    HedgeOverrideRequested,
)
"""What may make an account carry more."""


class Capacity:
    """Knows about how much an account carries, without weighing all of it at every request."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._weight = 0
        self._since = WEIGHED_EVERY

    def has_room(self, state: AccountState, fact: AccountFact) -> bool:
        """Tell whether a fact may be taken: it does not make the state grow, or there is room."""
        if not isinstance(fact, GROWING):
            return True
        self._weight += weight_of(fact)
        self._since += 1
        if self._since >= WEIGHED_EVERY or self._weight > self._budget:
            self._weight, self._since = weight_of(state) + weight_of(fact), 0
        return self._weight <= self._budget


def refuse_growth(state: AccountState, fact: AccountFact) -> AccountDecision:
    """Refuse what there is no room for; it leaves nothing behind in the state."""
    reason = f"the account carries more than {BUDGET} bytes and takes nothing that adds to it"
    if isinstance(fact, IdeaArrived):
        full = Verdict((Check("capacity", "account-full", passed=False, reason=reason),))
        return AccountDecision(state, (RecordIdea(fact.idea, full, None),))
    request_id = getattr(fact, "request_id", "")
    return AccountDecision(state, (), Answer(request_id, "account-full", reason))


def remembered_answer(answer: Answer) -> Answer:
    """Return an answer as it is kept for a repeat: without its verdict, its detail cut."""
    return replace(answer, verdict=None, detail=cleaned_text(answer.detail, ANSWER_LENGTH))


def state_to_carry(state: AccountState, limit: int = LIMIT) -> tuple[AccountState, bool]:
    """Return the state for the next run, and whether something had to be left behind.

    Remembered answers go first, then the names of requests dealt with: a late repeat is obeyed
    again, which is the smaller harm beside an account that is ended.
    """
    if weight_of(state) <= limit:
        return state, False
    lighter = replace(state, recent_answers=())
    if weight_of(lighter) > limit:
        kept = tuple(r for r in state.recent_requests if r.startswith("kill-switch/"))
        lighter = replace(lighter, recent_requests=kept)
    return lighter, True
