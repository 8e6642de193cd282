"""`make faults`: many trades, each struck by a fault, judged by the exchange's own record."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tests.faults import report
from tests.faults.catalogue import KINDS
from tests.faults.exchange import FaultSuiteError
from tests.faults.life import Outcome
from tests.faults.outages import AWAY_SECONDS, STORIES, OutageReport
from tests.faults.runner import Runner, running
from tests.faults.scripts import LANES, MOST_ROWS, Meeting, Plan, Script, load
from tests.faults.shrink import shrink

STRETCH_TRADES = 60
MOST_WAVES_LEFT = 500
"""How many waves are looked through for what has not struck yet."""


def main() -> int:
    """Play, tell, write; 1 when an invariant was broken."""
    options = _options()
    with running(options.port_base, options.home) as runner:
        if options.replay or options.script:
            return max(_replay(runner, script) for script in _asked(options))
        return _run(runner, options)


def _run(runner: Runner, options: argparse.Namespace) -> int:
    plan = Plan(options.seed, options.kills, tuple(options.kinds), options.rows)
    outcomes: list[Outcome] = []
    outages: list[OutageReport] = []
    started, broke_off = time.monotonic(), ""
    try:
        for outcome in _outcomes(runner, plan, options):
            outcomes.append(outcome)
            _tell(f"{len(outcomes):4}/{options.trades} {report.progress(outcome)}")
        outages = list(_outages(runner, options.away))
    except KeyboardInterrupt:
        _tell("interrupted: what was played is told")
    except FaultSuiteError as error:
        broke_off = str(error)
    about: dict[str, Any] = {
        "seed": options.seed,
        "share_of_kills": options.kills,
        "rows": options.rows,
        "kinds": options.kinds,
        "every_step": options.every_step,
        "broke_off": broke_off,
        "seconds": round(time.monotonic() - started, 1),
    }
    about["not_played"] = runner.not_played
    about["outages"] = [outage.describe() for outage in outages]
    found = report.summarise(outcomes, runner.kills, runner.verify(), about, _wanted(runner, plan))
    report.write(found)
    failing = [outcome.script for outcome in outcomes if outcome.failed]
    found["shortest"] = [_shrink(runner, script) for script in failing[: options.shrink]]
    report.write(found)
    _tell(report.words(found))
    return 0 if report.is_good(found) else 1


def _outcomes(runner: Runner, plan: Plan, options: argparse.Namespace) -> Iterator[Outcome]:
    """Play as many trades as were asked for, then those that are still lacking."""
    waves = plan.waves()
    played: list[Outcome] = []
    while len(played) < options.trades:
        for outcome in _stretch(runner, waves, options.trades - len(played)):
            played.append(outcome)
            yield outcome
    for wave in _missing(_wanted(runner, plan), waves, played) if options.every_step else ():
        for outcome in _played(runner, [wave]):
            played.append(outcome)
            yield outcome


def _wanted(runner: Runner, plan: Plan) -> set[Meeting]:
    return {one for one in plan.meetings if one[0] not in runner.not_played}


def _missing(
    wanted: set[Meeting], waves: Iterator[tuple[Script, ...]], outcomes: Sequence[Outcome]
) -> Iterator[tuple[Script, ...]]:
    """Yield the next waves in which something strikes where nothing of its kind has struck yet."""
    for wave in islice(waves, MOST_WAVES_LEFT):
        lacking = report.lacking(outcomes, wanted)
        if not lacking:
            return
        if lacking & {script.meeting for script in wave}:
            yield wave


def _stretch(runner: Runner, waves: Iterator[tuple[Script, ...]], trades: int) -> Iterator[Outcome]:
    """Play the next waves."""
    stretch: list[tuple[Script, ...]] = []
    while sum(map(len, stretch)) < min(trades, STRETCH_TRADES):
        stretch.append(next(waves))
    yield from _played(runner, stretch)


def _played(runner: Runner, stretch: Sequence[tuple[Script, ...]]) -> Iterator[Outcome]:
    """Play waves: first those whose faults strike one trade each, side by side."""
    apart = [wave for wave in stretch if not any(script.strikes_all for script in wave)]
    if apart:
        yield from runner.play_apart(apart)
    for wave in stretch:
        if wave not in apart:
            yield from runner.play(wave)


def _outages(runner: Runner, seconds: float) -> Iterator[OutageReport]:
    """Let the exchange be away in each way; 0 seconds: in none."""
    for kind in STORIES if seconds else ():
        outage = runner.play_outage(kind, seconds)
        _tell(report.outage_words(outage.describe()))
        yield outage


def _shrink(runner: Runner, script: Script) -> dict[str, Any]:
    """Return the shortest script that still fails, played alone, and what is found then."""
    findings: dict[str, list[str]] = {}

    def fails(tried: Script) -> bool:
        (outcome,) = runner.play([tried])
        if outcome.failed:
            findings["last"] = outcome.verdict.words
        _tell(f"shrinking {report.progress(outcome)}")
        return outcome.failed

    if not fails(script):
        return {"replay": script.name, "fails_alone": False}
    shortest = shrink(script, fails)
    return {
        "replay": script.name,
        "fails_alone": True,
        "findings": findings["last"],
        "script": shortest.describe(),
    }


def _replay(runner: Runner, script: Script) -> int:
    (outcome,) = runner.play([script])
    _tell(report.progress(outcome))
    for line in (*outcome.said, *outcome.verdict.words, *runner.verify()):
        _tell(f"  {line}")
    return 1 if outcome.failed else 0


def _asked(options: argparse.Namespace) -> list[Script]:
    if options.script:
        return [load(options.script.read_text())]
    asked = (name.partition(":") for name in options.replay)
    return [
        Plan(int(seed), options.kills, tuple(options.kinds), options.rows).script(int(index))
        for seed, _, index in asked
    ]


def _options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make faults", description=__doc__)
    options.add_argument("--trades", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--kills", type=float, default=0.3, metavar="SHARE")
    options.add_argument("--kinds", nargs="*", default=[], choices=KINDS, metavar="KIND")
    options.add_argument(
        "--rows",
        type=int,
        default=1,
        choices=range(1, MOST_ROWS + 1),
        help="trades of each account that one kill strikes",
    )
    options.add_argument(
        "--every-step",
        action="store_true",
        help="go on until each kind of fault has struck at each step",
    )
    options.add_argument(
        "--away",
        type=float,
        default=AWAY_SECONDS,
        metavar="SECONDS",
        help="how long the exchange is away with open positions, in each way; 0: never",
    )
    options.add_argument(
        "--replay",
        nargs="*",
        metavar="SEED:INDEX",
        help="with the same --kills, --kinds and --rows",
    )
    options.add_argument("--script", type=Path, help="play a script of build/faults.json")
    options.add_argument(
        "--shrink", type=int, default=3, metavar="N", help="how many failing scripts to shorten"
    )
    options.add_argument("--port-base", type=int, default=21800)
    options.add_argument("--home", type=Path, help="keep the stack's state and logs here")
    given = options.parse_args(arguments)
    given.trades = -(-given.trades // LANES) * LANES
    return given


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
