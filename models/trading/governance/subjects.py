"""What takes two people: every subject of a request for approval, and the rules that go with it.

The table is the one place that says who may ask and approve, how long a request waits, and who
carries it out. A subject that is not in it is asked for and approved by nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from models.trading.governance.rights import PLATFORM, Action


class Subject(StrEnum):
    """What a request for approval is about."""

    ENTRY = "entry"
    WORSE_PROTECTION = "worse_protection"
    CHANGE_SETTINGS = "change_settings"
    LIFT_DRAWDOWN = "lift_drawdown"
    GO_LIVE = "go_live"
    UNIVERSE = "universe"
    LIFT_KILL_SWITCH = "lift_kill_switch"
    PROMOTE_MODEL = "promote_model"
    EXCHANGE_KEY = "exchange_key"


class Effect(StrEnum):
    """Who carries out what was decided.

    ``account`` and ``trade``: the workflow that waits for it. ``platform``: the platform's own.
    ``kill_switch``: the engagement's workflow. ``live``: the record of requests to go live.
    ``asker``: whoever asked reads the decision, and acts on it (a workflow that waits for its
    child, or a command that is repeated with the approval's id).
    """

    ACCOUNT = "account"
    TRADE = "trade"
    PLATFORM = "platform"
    KILL_SWITCH = "kill_switch"
    LIVE = "live"
    ASKER = "asker"


@dataclass(frozen=True, slots=True)
class SubjectRule:
    """What holds for one subject.

    Attributes:
        asks: the right of whoever asks for it.
        approves: the right of whoever approves it, for every account that it concerns.
        life: protocol time that a request waits, None: what the account's settings say.
        effect: who carries it out.
        by_person: a person has asked; what a token of the machine asked for is approved by nobody.
        automatic: the platform's own schedules, by the name they ask under, that may ask besides.
            Nobody's token has one of these names.
        because: why anybody but a person may ask, "" where nobody else may.
        frozen: a change freeze holds it back.
    """

    asks: Action
    approves: Action
    life: timedelta | None
    effect: Effect
    by_person: bool
    frozen: bool
    automatic: frozenset[str] = frozenset()
    because: str = ""


_DAY = timedelta(hours=24)
_WEEK = timedelta(days=7)
_APPROVE = Action.APPROVAL_APPROVE
# fmt: off
_TABLE: Final = (
    # subject, who asks, who approves, how long it waits, who carries it out, what holds for it
    (Subject.ENTRY, Action.TRADE_OPEN, _APPROVE, None, Effect.ACCOUNT, ""),
    (Subject.WORSE_PROTECTION, Action.TRADE_PROTECT, _APPROVE, None, Effect.TRADE, "frozen"),
    (Subject.CHANGE_SETTINGS, Action.ACCOUNT_SETTINGS, _APPROVE, None, Effect.ACCOUNT,
     "person frozen"),
    (Subject.LIFT_DRAWDOWN, Action.DRAWDOWN_LIFT, _APPROVE, _DAY, Effect.ACCOUNT, "person frozen"),
    (Subject.GO_LIVE, Action.LIVE_REQUEST, Action.LIVE_APPROVE, _DAY, Effect.LIVE,
     "person frozen"),
    (Subject.UNIVERSE, Action.UNIVERSE_REQUEST, Action.UNIVERSE_APPROVE, _WEEK, Effect.PLATFORM,
     "person frozen"),
    (Subject.LIFT_KILL_SWITCH, Action.KILL_SWITCH_LIFT, _APPROVE, _DAY, Effect.KILL_SWITCH,
     "person"),
    (Subject.PROMOTE_MODEL, Action.PLATFORM_SETTINGS, _APPROVE, _WEEK, Effect.ASKER,
     "person frozen"),
    (Subject.EXCHANGE_KEY, Action.ACCOUNT_SETTINGS, _APPROVE, _DAY, Effect.ASKER, "person frozen"),
)
# fmt: on

SCHEDULE: Final = "schedule"
DRIFT: Final = "drift"
"""Under these names trainings begin by themselves; no token may have one of them."""
_TRADES_ARE_AUTOMATIC: Final = (
    "strategies and hedges trade by themselves, and the machine's token in simulation only"
)
_BESIDES_PEOPLE: Final[Mapping[Subject, tuple[frozenset[str], str]]] = {
    Subject.ENTRY: (frozenset(), _TRADES_ARE_AUTOMATIC),
    Subject.WORSE_PROTECTION: (frozenset(), _TRADES_ARE_AUTOMATIC),
    Subject.PROMOTE_MODEL: (
        frozenset({SCHEDULE, DRIFT}),
        "models are trained again after thirty days and on drift, and the gate has judged them",
    ),
}
"""Who may ask besides people, by name (none: anybody with the right), and why."""

SUBJECTS: Final[Mapping[Subject, SubjectRule]] = {
    subject: SubjectRule(
        asks,
        approves,
        life,
        effect,
        "person" in marks,
        "frozen" in marks,
        *_BESIDES_PEOPLE.get(subject, (frozenset(), "")),
    )
    for subject, asks, approves, life, effect, marks in _TABLE
}


def rule_of(subject: str) -> SubjectRule | None:
    """Return what holds for a subject, None for one that is not known (any more)."""
    try:
        return SUBJECTS[Subject(subject)]
    except ValueError:
        return None


def effect_of(subject: Subject, account: str) -> Effect:
    """Return who carries out a request of an account, or of ``platform``."""
    effect = SUBJECTS[subject].effect
    return Effect.PLATFORM if account == PLATFORM and effect is Effect.ACCOUNT else effect


def right_to_ask(subject: Subject, account: str) -> Action:
    """Return the right that asking takes, for an account or for ``platform``."""
    if subject is Subject.CHANGE_SETTINGS and account == PLATFORM:
        return Action.PLATFORM_SETTINGS
    return SUBJECTS[subject].asks
