"""`aether backtest --check`: do strategies read what they cannot know, or rest on their start?"""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from cli.commands.backtest_source import Candles

if TYPE_CHECKING:
    from activities.learning.strategy_checks import CheckedStrategy

NOT_PASSED = 1
WORDS = {True: "passed", False: "FAILED", None: "cannot tell"}


def check_bias(
    candles: Candles,
    names: list[str],
    interval: int | None,
    begin: datetime | None,
    *,
    as_json: bool,
) -> int:
    """Print a verdict for each strategy and check; return 1 where one has not passed, else 0."""
    from activities.learning.strategy_checks import check_strategies
    from activities.learning.strategy_trials import chosen_strategies

    checked = check_strategies(
        chosen_strategies(names),
        candles,
        interval=interval,
        begin=begin,
        tell=lambda stage, _done, _planned: print(stage, file=sys.stderr, flush=True),
        place=candles.place,
    )
    if as_json:
        typer.echo(json.dumps([{**asdict(one), "passed": one.passed} for one in checked]))
    else:
        for one in checked:
            typer.echo(_told(one))
    return 0 if all(one.passed for one in checked) else NOT_PASSED


def _told(checked: "CheckedStrategy") -> str:
    head = f"{checked.strategy} {checked.version} on {checked.bars} bars of {checked.label}"
    lines = [f"  {one.check}: {WORDS[one.passed]}: {one.detail}" for one in checked.verdicts]
    return "\n".join([head, *lines])
