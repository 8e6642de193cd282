"""``python -m workers.exchange``: run the exchange simulator alone."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.runtime import event_loop
from models.simulation.markets.replay import PathAssumption
from workers.exchange.errors import StartError
from workers.exchange.server import Options, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; 2 when it cannot start, with one line on standard error."""
    options = parse(arguments)
    # Standard output is for the one line that describes the exchange.
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format='{"timestamp": "%(asctime)s", "level": "%(levelname)s", "process": "exchange", '
        '"logger": "%(name)s", "event": "%(message)s"}',
    )
    try:
        event_loop.run(serve(options, _announce))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def parse(arguments: Sequence[str] | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="aether exchange serve",
        description="Speak Kraken's REST and WebSocket v2 protocol over a simulated market.",
    )
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument(
        "--market", default="generated", help="generated, replay:PATH[,PATH…] or kraken"
    )
    parser.add_argument("--speed", default="1", help="market time per wall time, or lockstep")
    parser.add_argument("--state", type=Path, default=None, help="directory that keeps the state")
    parser.add_argument("--accounts", type=Path, default=None, help="keys file (JSON, mode 600)")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--bar-minutes", type=int, default=1)
    parser.add_argument("--warmup-bars", type=int, default=240, help="history of a new market")
    parser.add_argument(
        "--path",
        type=PathAssumption,
        choices=tuple(PathAssumption),
        default=PathAssumption.WORST_FIRST,
        help="which extreme of a replayed bar comes first",
    )
    values = parser.parse_args(arguments)
    state = values.state or Path(os.environ.get("AETHER_HOME", ".aether")) / "exchange"
    return Options(
        port=values.port,
        market=values.market,
        speed=values.speed,
        state=state,
        accounts=values.accounts,
        seed=values.seed,
        bar_minutes=values.bar_minutes,
        warmup_bars=values.warmup_bars,
        path=values.path,
    )


def _announce(description: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(description) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
