"""The short form of the suite: nearly every kind of fault once, and one kill."""

from collections.abc import Iterator
from dataclasses import replace

from tests.faults.catalogue import ASKING, CASES, FULL_LOGS, KILL_STEPS, KINDS, Case, Rule
from tests.faults.scripts import KILL, LANES, Plan, Script

SEED = 4
LONG = 3
"""Losses in a row from which on a case is left to the long form."""
LEFT_TO_THE_LONG_FORM = ("lockout", "told_late")
"""They last for half a minute and a minute: what the account waits for is the time itself."""
KILLED, KILL_STEP = "trading", "first_fill"
TEN_LOST, MUTE_SECONDS = 10, 8.0
"""Mute for longer than ten questions take on a slow machine: what is left would strike the exit."""


def waves(seed: int = SEED) -> Iterator[tuple[Script, ...]]:
    """Yield a case of each short kind, first those that strike one trade each, then the others."""
    plan = Plan(seed)
    chosen = [_choose(plan, kind) for kind in KINDS if kind not in LEFT_TO_THE_LONG_FORM]
    alone = [case for case in chosen if not case.strikes_all]
    together = [case for case in chosen if case.strikes_all]
    together.append(Case(KILL, KILL_STEP, needs=KILL_STEPS[KILL_STEP], kills=(KILLED,)))
    lanes = [alone[first : first + LANES] for first in range(0, len(alone), LANES)]
    for number, cases in enumerate([*lanes, *([case] * LANES for case in together)]):
        yield tuple(plan.script_of(number * LANES + lane, case) for lane, case in enumerate(cases))


def ten_lost_replies(seed: int = SEED) -> tuple[Script, ...]:
    """Return an entry on each account whose reply is lost, and the nine answers after it.

    The private stream is mute meanwhile, so that only asking can tell what became of it.
    """
    mute = {"channel": "executions", "account": "$"}
    rules = (
        Rule("lost_after", {"method": ["AddOrder", *ASKING], "account": "$"}, 0, TEN_LOST),
        Rule("silence", mute, 0, None, {"seconds": MUTE_SECONDS}),
    )
    case = Case("lost_after", "entry", rules)
    scripts = (Plan(seed).script_of(lane, case) for lane in range(LANES))
    return tuple(
        replace(script, order_type="market", protection=protection, ending="close", amends=False)
        for script, protection in zip(scripts, ("attached", "separate", "attached"), strict=True)
    )


def _choose(plan: Plan, kind: str) -> Case:
    """Return a case of a kind, one that does not take long."""
    cases = [case for case in CASES if case.kind == kind and not _takes_long(case)]
    return plan.chance(kind).choice(cases)


def _takes_long(case: Case) -> bool:
    # An exit waits until the counter that the exchange called full has room again.
    if case.kind == "rate_limit" and case.step != "entry":
        return True
    # Killed as well as without logs is two faults; a kill is played by itself.
    if case.kind == FULL_LOGS and case.kills:
        return True
    return any((rule.count or 0) >= LONG for rule in case.rules if rule.kind.startswith("lost"))
