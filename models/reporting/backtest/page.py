"""A backtest as one HTML page that needs nothing beside it: no script, no font, no address."""

from collections.abc import Sequence
from html import escape

import numpy as np

from models.learning.backtest.results import BacktestResult, FillKind
from models.learning.backtest.rules import FillRules
from models.learning.backtest.study import Trial
from models.learning.backtest.variants import Walk
from models.reporting.backtest.tables import COLUMNS, notes, percent, rows
from models.reporting.backtest.walk_forward import COLUMNS as WALK_COLUMNS
from models.reporting.backtest.walk_forward import walk_row
from models.reporting.charts import Line, Mark, chart

TRADES_SHOWN = 400
_STYLE = """
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1000px;padding:0 1rem}
table{border-collapse:collapse;font-size:12px;display:block;overflow-x:auto}
td,th{border-bottom:1px solid #dfe3e8;padding:.25rem .5rem;text-align:right;white-space:nowrap}
td:first-child,th:first-child,td:nth-child(2),th:nth-child(2){text-align:left}
svg{width:100%;height:auto;font-size:11px}figure{margin:1rem 0}figcaption{font-weight:600}
figcaption span{font-weight:400;margin-left:.6rem}summary{cursor:pointer}
"""


def page(
    title: str,
    trials: Sequence[Trial],
    rules: FillRules,
    capital: float,
    walks: Sequence[Walk] = (),
) -> str:
    """Return the page, with the walk-forwards where some were asked for."""
    body = "".join(_section(trial) for trial in trials)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1>{_rules(rules, capital)}{_table(COLUMNS, rows(trials))}"
        f"<p>Doing nothing gains 0 % at no risk. P(not better): share of samples in which the "
        f"Sharpe ratio is not above that of holding.</p>"
        f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes(trials))}</ul>"
        f"{_walked(walks)}{body}</body></html>\n"
    )


def _walked(walks: Sequence[Walk]) -> str:
    if not walks:
        return ""
    text = (
        "Each fold holds to whichever variant had the best Sharpe ratio until then, and pays for "
        "every change. What was best afterwards nobody could have had."
    )
    table = _table(WALK_COLUMNS, [walk_row(one) for one in walks])
    return f"<h2>Walk-forward</h2><p>{text}</p>{table}"


def _rules(rules: FillRules, capital: float) -> str:
    text = (
        f"{capital:,.0f} USD at the start. Fees of {rules.fees.effective_from} by the strategy's "
        f"own volume of 30 days; slippage {percent(rules.slippage_share, 2)}, latency "
        f"{rules.latency_seconds:g} s, entries at most {percent(rules.volume_share)} of a bar's "
        f"volume. Ambiguous bars count against the strategy."
    )
    return f"<p>{escape(text)}</p>"


def _section(trial: Trial) -> str:
    bars = trial.results[0].bars
    first, last = f"{bars.start(0):%Y-%m-%d}", f"{bars.end(len(bars) - 1):%Y-%m-%d}"
    peaks = np.maximum.accumulate(trial.equity)
    held_peaks = np.maximum.accumulate(trial.held)
    charts = [
        chart(
            "Equity in USD",
            [
                Line(trial.strategy, trial.equity.tolist()),
                Line("holding", trial.held.tolist()),
            ],
            first,
            last,
            logarithmic=True,
        ),
        chart(
            "Fall from the peak",
            [
                Line(trial.strategy, (trial.equity / peaks - 1).tolist()),
                Line("holding", (trial.held / held_peaks - 1).tolist()),
            ],
            first,
            last,
            percent=True,
        ),
    ]
    charts += [part for result in trial.results for part in _of_pair(result)]
    return f"<h2>{escape(trial.strategy)}: {escape(trial.label)}</h2>{''.join(charts)}"


def _of_pair(result: BacktestResult) -> list[str]:
    bars = result.bars
    first, last = f"{bars.start(0):%Y-%m-%d}", f"{bars.end(len(bars) - 1):%Y-%m-%d}"
    marks = [
        Mark(fill.bar, fill.ticks * bars.tick, fill.kind is FillKind.ENTRY)
        for fill in result.fills[-TRADES_SHOWN:]
    ]
    exposure = [Line("share of equity held", result.exposure.tolist())]
    price = [Line(bars.symbol, bars.closes.tolist())]
    return [
        chart(f"{bars.symbol}: exposure", exposure, first, last, percent=True),
        chart(f"{bars.symbol}: trades on price", price, first, last, logarithmic=True, marks=marks),
        _trades(result),
    ]


def _trades(result: BacktestResult) -> str:
    bars, trips = result.bars, result.round_trips()
    lines = [
        (
            f"{bars.start(trip.first_bar):%Y-%m-%d %H:%M}",
            f"{bars.start(trip.last_bar):%Y-%m-%d %H:%M}",
            f"{trip.entry_price:,.6g}",
            f"{trip.exit_price:,.6g}",
            f"{trip.fees:,.2f}",
            f"{trip.profit:,.2f}",
            percent(trip.gain),
            trip.left,
        )
        for trip in trips[-TRADES_SHOWN:]
    ]
    header = ("from", "to", "bought at", "sold at", "fees USD", "profit USD", "gain", "left by")
    shown = f"{len(lines)} of {len(trips)} trades in {bars.symbol}"
    return f"<details><summary>{escape(shown)}</summary>{_table(header, lines)}</details>"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in lines
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
