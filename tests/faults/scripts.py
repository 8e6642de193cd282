"""Fault scripts: what one trade is to live through, as a pure function of seed and number.

Trades are planned in waves of one for each account, or of several where processes are killed. Some
faults strike one account's trade; those that strike everybody (modes, clock, refused connections,
kills) are the same for a whole wave.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.faults.catalogue import CASES, KILL_STEPS, PROCESSES, Case, Rule, strikes_all

ACCOUNTS = ("company", "director-1", "director-2")
PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD", "ADA/USD", "XRP/USD", "LTC/USD")
LANES = len(ACCOUNTS)
KILL = "kill"
MOST_ROWS = len(PAIRS) // LANES
"""Trades of each account at once, all in pairs of their own."""
LATEST_KILL_SECONDS = 0.08
"""About what the steps of a request take together."""

Meeting = tuple[str, str, tuple[str, ...]]
"""Kind of fault, step of a trade's life, and the processes killed then."""


@dataclass(frozen=True, slots=True)
class Script:
    """One trade and the fault that strikes it.

    Attributes:
        index: its number in the run of ``seed``.
        account, symbol: where it is played.
        order_type: of its entry, ``market`` or ``limit``.
        protection: ``attached`` or ``separate``.
        amends: whether its stop is moved while it is open.
        ending: ``stop``, ``take_profit`` or ``close``.
        kind, step: which fault, and at which step of the trade's life.
        rules: the exchange's rules that are put in force when that step begins.
        clock: seconds by which the exchange's clock is off during the step.
        kills: processes that are killed once the step has begun; ``all`` is all at once.
        kill_delay: seconds between the beginning of the step and the kill.
    """

    seed: int
    index: int
    account: str
    symbol: str
    order_type: str
    protection: str
    amends: bool
    ending: str
    kind: str
    step: str
    rules: tuple[Rule, ...] = ()
    clock: float = 0.0
    kills: tuple[str, ...] = ()
    kill_delay: float = 0.0

    @property
    def name(self) -> str:
        """Return what repeats it: ``SEED:INDEX``."""
        return f"{self.seed}:{self.index}"

    @property
    def meeting(self) -> Meeting:
        """Return which fault meets which step."""
        return self.kind, self.step, self.kills

    @property
    def outage(self) -> bool:
        """Tell whether the fault keeps orders from the exchange, or its news from us, for long."""
        keeps = ("refuse_connections", "mode", "lockout")
        return self.kind == "told_late" or any(rule.kind in keeps for rule in self.rules)

    @property
    def strikes_all(self) -> bool:
        """Tell whether its fault strikes every account and not only its own trade."""
        return bool(self.kills) or strikes_all(self.kind, self.rules, self.clock)

    def describe(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


def from_description(described: Mapping[str, Any]) -> Script:
    """Return the script that was described."""
    rules = tuple(Rule(**rule) for rule in described["rules"])
    return Script(**{**described, "rules": rules, "kills": tuple(described["kills"])})


def load(text: str) -> Script:
    """Return the script written as JSON."""
    return from_description(json.loads(text))


@dataclass
class Plan:
    """All scripts of a seed: waves without end, each kind of fault on each step in turn.

    Attributes:
        seed: of everything that is chosen.
        kills: share of trades that are struck by a kill instead of a scripted fault.
        kinds: only these kinds of faults; empty for all of them.
        rows: trades of each account that a kill strikes at once, at most ``MOST_ROWS``.
    """

    seed: int
    kills: float = 0.0
    kinds: Sequence[str] = ()
    rows: int = 1
    _lane_cases: Iterator[Case] = field(init=False)
    _wave_cases: Iterator[Case] = field(init=False)
    _kill_cases: Iterator[Case] = field(init=False)
    _cases: list[Case] = field(init=False)
    _killing: list[Case] = field(init=False)

    def __post_init__(self) -> None:
        cases = [case for case in CASES if not self.kinds or case.kind in self.kinds]
        self._cases = cases
        self._lane_cases = _endless(cases, lambda c: not c.strikes_all, self.chance("lanes"))
        self._wave_cases = _endless(cases, lambda c: c.strikes_all, self.chance("waves"))
        self._killing = killing = [
            Case(KILL, step, needs=needs, kills=(process,))
            for process in PROCESSES
            for step, needs in KILL_STEPS.items()
        ]
        self._kill_cases = _endless(killing, lambda _: True, self.chance("kills"))

    def waves(self) -> Iterator[tuple[Script, ...]]:
        """Yield wave after wave."""
        cases = self._cases
        together = len({_met_by(case) for case in cases if case.strikes_all})
        apart = len({_met_by(case) for case in cases if not case.strikes_all}) / LANES
        share = together / max(1, together + apart)
        number = 0
        while True:
            chance = self.chance(f"wave {number}")
            # A share of the trades, of which a kill strikes more than other faults do.
            waves = self.kills / (self.rows - (self.rows - 1) * self.kills)
            if chance.random() < waves or not cases:
                chosen = [next(self._kill_cases)] * LANES * self.rows
            elif chance.random() < share:
                chosen = [next(self._wave_cases)] * LANES
            else:
                chosen = [next(self._lane_cases) for _ in range(LANES)]
            delay = round(chance.uniform(0, LATEST_KILL_SECONDS), 3)
            yield tuple(
                self.script_of(number * LANES + lane, case, delay)
                for lane, case in enumerate(chosen)
            )
            number += len(chosen) // LANES

    @property
    def meetings(self) -> set[Meeting]:
        """Return what a whole run should meet: each kind on each step, each process killed."""
        kills = self._killing if self.kills else []
        return {_met_by(case) for case in (*self._cases, *kills)}

    def script(self, index: int) -> Script:
        """Return the script of one trade."""
        return next(script for wave in self.waves() for script in wave if script.index == index)

    def script_of(self, index: int, case: Case, delay: float = 0.0) -> Script:
        """Return the script of a case, everything else chosen by the seed and the number."""
        chance = self.chance(f"trade {index}")
        wave, lane = divmod(index, LANES)
        account, symbol = ACCOUNTS[lane], PAIRS[(wave + 2 * lane) % len(PAIRS)]
        script = Script(
            seed=self.seed,
            index=index,
            account=account,
            symbol=symbol,
            order_type=chance.choice(("market", "market", "limit")),
            protection=chance.choice(("attached", "separate")),
            amends=chance.random() < 0.3,
            ending=chance.choice(("stop", "take_profit", "close")),
            kind=case.kind,
            step=case.step,
            rules=tuple(rule.aimed_at(account, symbol) for rule in case.rules),
            clock=case.clock,
            kills=case.kills,
            kill_delay=delay if case.kills else 0.0,
        )
        needs: dict[str, Any] = dict(case.needs)
        script = replace(script, **needs)
        return replace(script, amends=script.amends or case.step == "amend")

    def chance(self, what: str) -> random.Random:
        """Return the source of everything random in something."""
        return random.Random(f"{self.seed} {what}")


def _endless(
    cases: Sequence[Case], wanted: Callable[[Case], bool], chance: random.Random
) -> Iterator[Case]:
    """Yield the wanted cases again and again, each time in another order.

    First one of each kind on each step, whichever of its cases it is: a run is shorter than all.
    """
    found = [case for case in cases if wanted(case)]
    while found:
        chance.shuffle(found)
        first = {_met_by(case): case for case in found}
        yield from first.values()
        yield from (case for case in found if first[_met_by(case)] is not case)


def _met_by(case: Case) -> Meeting:
    return case.kind, case.step, case.kills
