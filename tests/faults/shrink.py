"""Shrinks a failing script to the shortest that still fails."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.faults.catalogue import Rule
from tests.faults.scripts import Script

Fails = Callable[[Script], bool]
TRIALS = 20


def shrink(script: Script, fails: Fails, trials: int = TRIALS) -> Script:
    """Return the simplest script found that still fails.

    Args:
        script: one that fails.
        fails: plays a script and tells whether it fails.
        trials: how often it may be asked.
    """
    tried = [script]
    while True:
        for simpler in simplifications(script):
            if trials <= 0:
                return script
            if simpler in tried:
                continue
            tried.append(simpler)
            trials -= 1
            if fails(simpler):
                script = simpler
                break
        else:
            return script


def simplifications(script: Script) -> Iterator[Script]:
    """Yield scripts that are simpler by one thing, the boldest first."""
    if script.rules or script.clock or script.kills:
        yield replace(script, rules=(), clock=0.0, kills=(), kill_delay=0.0)
    for number in range(len(script.rules) if len(script.rules) > 1 else 0):
        yield replace(script, rules=(*script.rules[:number], *script.rules[number + 1 :]))
    for number, rule in enumerate(script.rules):
        for count in _smaller(rule.count):
            fewer = Rule(rule.kind, rule.match, rule.skip, count, rule.params)
            rules = (*script.rules[:number], fewer, *script.rules[number + 1 :])
            yield replace(script, rules=rules)
    if script.amends and script.step != "amend":
        yield replace(script, amends=False)
    if script.order_type == "limit":
        yield replace(script, order_type="market")
    if script.kill_delay:
        yield replace(script, kill_delay=0.0)


def _smaller(count: int | None) -> Iterator[int]:
    if count is not None and count > 1:
        yield 1
        if count > 3:
            yield count // 2
        if count > 2:
            yield count - 1
