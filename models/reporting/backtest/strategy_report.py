"""What every strategy came to, as a page of the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.learning.backtest.rules import FillRules
from models.learning.backtest.study import Trial
from models.reporting.backtest.tables import COLUMNS, notes, percent, rows

_BEGINNING = """# Strategies, out of sample and net of everything

Written by `make strategies` (`DATA=directory` for other candles). No strategy, pair or window on
this page is chosen or left out by its result.

**Out of sample** here means: no parameter was searched for on these candles. Those of the shipped
strategies are taken from the literature named in their modules, before they were run, **but for
one**: the take-profit of both daily strategies (`donchian_ensemble`, `volatility_managed`) was
changed from 6 to 12 deviations after results on these same candles had been seen. In this their
figures are not out of sample, and look better than they would have been. That somebody who chose
this literature knew what crypto did until then cannot be undone either, so the windows from 2023
on weigh more. `aether backtest --sweep … --walk-forward` shows what choosing parameters by the past
would have come to.

**How it is counted.** {rules} A strategy begins flat with each recording; recordings are never
joined. The portfolio's pairs have even parts of the capital. *Holding* buys the same pairs at the
first close, with the fee. Doing nothing gains 0 %. Intervals hold 90 % of block-bootstrap samples;
*P(not better)* is the share of samples in which the Sharpe ratio is not above that of holding.
"""

_ENDING = """## What this page does not say

The pairs are those somebody recorded, most of them because they became large: holding them looks
better than it was for who had to choose them then, and so does whatever holds them part of the
time. One year of few pairs cannot tell a Sharpe ratio of 1 from one of 0: the intervals say so.
Where a strategy trades more than 1 % of a bar's volume the notes count it. Bars of another exchange
than Kraken are filled at Kraken's fees.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One table with its title; no trials: the candles had none of its interval."""

    title: str
    trials: Sequence[Trial]


def write(
    sections: Sequence[Section],
    rules: FillRules,
    capital: float,
    checks: Sequence[tuple[str, str, int]],
) -> str:
    """Return the page."""
    parts = [_BEGINNING.format(rules=_rules(rules, capital))]
    for section in sections:
        parts.append(f"## {section.title}\n")
        if not section.trials:
            parts.append("No candles of this interval.\n")
            continue
        parts.append(_table(COLUMNS, rows(section.trials)))
        parts.append("".join(f"- {note}\n" for note in notes(section.trials)))
    parts.append("## Bias checks\n")
    lines = [(name, check, "none" if not n else str(n)) for name, check, n in checks]
    parts.append(_table(("strategy", "check", "findings"), lines))
    parts.append(_ENDING)
    return "\n".join(parts)


def _rules(rules: FillRules, capital: float) -> str:
    return (
        f"{capital:,.0f} USD; Kraken's fees of {rules.fees.effective_from} by the strategy's own "
        f"30-day volume; slippage {percent(rules.slippage_share, 2)}; latency "
        f"{rules.latency_seconds:g} s; entries take at most {percent(rules.volume_share)} of a "
        "bar's volume; a bar in which both stop and target are reached counts as the stop unless "
        "finer bars tell."
    )


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    numbers = ["---", "---", *["---:"] * (len(header) - 2)]
    every = [header, numbers, *lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in every)
