"""`make rules`: more than four hundred days of recorded candles through the account's own rules."""

import argparse
import json
import sys
import time
from decimal import Decimal
from pathlib import Path

from tests.rules.candles import PAIRS, bars
from tests.rules.judge import checks, report
from tests.rules.world import World

RESULT = Path("build/rules.json")
DAYS_MINIMUM = 400
SHOWN = 5


def main() -> int:
    """Play, judge, write; 1 when something does not hold."""
    options = _options()
    started, world, first, last = time.monotonic(), None, None, None
    for at, closed in bars(options.days):
        if len(closed) == len(PAIRS) or world is not None:
            if world is None:
                world, first = World(at), at
            world.play(at, closed)
            last = at
    assert world is not None
    assert first is not None
    assert last is not None
    days = Decimal((last - first).total_seconds()) / 86_400
    broken = checks(world)
    if options.days is None and days < DAYS_MINIMUM:
        broken["at least four hundred days"] = [f"{days:.1f} days"]
    found = {
        "from": first.isoformat(),
        "until": last.isoformat(),
        "pairs": [pair.symbol for pair in PAIRS],
        "figures": report(world, days),
        "checks": {
            name: {"holds": not wrong, "wrong": len(wrong), "first": wrong[:SHOWN]}
            for name, wrong in broken.items()
        },
        "seconds": round(time.monotonic() - started, 1),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    held = sum(not wrong for wrong in broken.values())
    for name, wrong in broken.items():
        if wrong:
            sys.stdout.write(f"does not hold: {name}: {len(wrong)}, first {wrong[0]}\n")
    sys.stdout.write(f"{held} of {len(broken)} checks hold, {found['seconds']} s: {RESULT}\n")
    return 0 if held == len(broken) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rules", description=__doc__)
    parser.add_argument("--days", type=int, help="play only so many days")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
