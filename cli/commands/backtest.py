"""`aether backtest`: what strategies would have done on recorded candles, net of everything."""

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.runtime.extra_packages import need

if TYPE_CHECKING:
    from models.learning.backtest.series import Series
    from models.learning.backtest.study import Trial

LOCK = "requirements-research.lock"
USUAL_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
CAPITAL = 100_000.0


class Engine(StrEnum):
    """Who makes the trades."""

    FAST = "fast"
    REFERENCE = "reference"


def backtest(
    *,
    data: Annotated[
        Path, typer.Option(help="Directory with recorded candles (Parquet, Kraken's CSV).")
    ] = USUAL_DATA,
    strategy: Annotated[
        list[str] | None, typer.Option(help="Which; the shipped ones when not said.")
    ] = None,
    pair: Annotated[list[str] | None, typer.Option(help="Only these, like BTC/USD.")] = None,
    venue: Annotated[list[str] | None, typer.Option(help="Only these folders.")] = None,
    interval: Annotated[
        int | None, typer.Option(min=1, help="Minutes of a bar; the strategy's own when not said.")
    ] = None,
    begin: Annotated[
        datetime | None, typer.Option("--from", help="First day judged (UTC).")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Day after the last (UTC).")] = None,
    together: Annotated[
        bool, typer.Option(help="Pairs of one venue and window as one portfolio.")
    ] = False,
    capital: Annotated[float, typer.Option(min=1, help="USD at the start.")] = CAPITAL,
    fees: Annotated[
        str, typer.Option(help="Day of a schedule, or MAKER/TAKER in percent, like 0.25/0.40.")
    ] = "",
    slippage: Annotated[float, typer.Option(min=0, help="Share of the price.")] = 0.0005,
    latency: Annotated[float, typer.Option(min=0, help="Seconds.")] = 1.0,
    sweep: Annotated[
        list[str] | None,
        typer.Option(help="PARAMETER=VALUE,VALUE…: every combination is tried."),
    ] = None,
    walk_forward: Annotated[
        bool, typer.Option(help="Choose among the sweep by the past only, fold after fold.")
    ] = False,
    engine: Annotated[
        Engine, typer.Option(help="fast, or reference: the platform's own decisions, slowly.")
    ] = Engine.FAST,
    report: Annotated[Path | None, typer.Option(help="Write one HTML page here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try strategies on recorded candles, with fees, minimums, slippage and honest fills.

    What is compared with: holding the same pairs, and doing nothing (which gains 0).
    """
    need("numba", LOCK)
    from activities.learning.strategy_trials import fee_schedule
    from models.learning.backtest.rules import FillRules, Portfolio
    from models.reporting.backtest_page import page

    rules = FillRules(slippage_share=slippage, latency_seconds=latency, fees=fee_schedule(fees))
    trials = run(
        data,
        strategy or [],
        rules,
        Portfolio(capital=capital),
        pairs=pair or [],
        venues=venue or [],
        interval=interval,
        span=(_utc(begin), _utc(end)),
        together=together,
        sweep=_sweep(sweep or []),
        engine=engine,
    )
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(page("Backtest", trials, rules, capital))
    if as_json:
        typer.echo(json.dumps([as_document(trial) for trial in trials]))
    else:
        show(trials)
        if walk_forward:
            show_walk_forward(trials, rules, capital)
        if report is not None:
            typer.echo(f"report: {report}")


def run(
    data: Path,
    strategies: list[str],
    rules: Any,
    portfolio: Any,
    *,
    pairs: list[str],
    venues: list[str],
    interval: int | None,
    span: tuple[datetime | None, datetime | None],
    together: bool,
    sweep: dict[str, list[str]] | None = None,
    engine: "Engine | None" = None,
) -> "list[Trial]":
    """Return one trial per strategy and series, or per strategy and window of a venue."""
    from activities.adapters.candle_files.reading import files_of
    from activities.learning import strategy_trials as trying

    return trying.run_trials(
        trying.chosen_strategies(strategies),
        files_of(data, pairs, venues, span[1]),
        rules,
        portfolio,
        interval=interval,
        begin=span[0],
        together=together,
        tell=lambda stage, _done, _planned: _tell(stage),
        sweep=sweep,
        by_reference=engine is Engine.REFERENCE,
        place=str(data),
    )


def series_in(data: Path, minutes: int) -> "list[Series]":
    """Return the series of an interval that a directory holds; BacktestError without any."""
    from activities.adapters.candle_files.reading import files_of
    from activities.learning import strategy_trials as trying

    return trying.series_in(files_of(data, [], [], None), minutes, None, str(data))


def show(trials: "list[Trial]") -> None:
    """Print the table and what belongs beside it."""
    from cli.output.tables import Figures
    from models.reporting.backtest_tables import COLUMNS, notes, rows

    table = Figures(COLUMNS, right=frozenset(COLUMNS[2:]))
    for row in rows(trials):
        table.add(*row)
    table.show()
    for note in notes(trials):
        typer.echo(note)


def show_walk_forward(trials: "list[Trial]", rules: Any, capital: float) -> None:
    """Print what choosing among the trials of each series would have come to."""
    from models.learning.backtest.variants import walk_forward as walk

    taker = float(rules.fees.tiers[0].rates.taker)
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.strategy.partition("[")[0], trial.label), []).append(trial)
    for (name, label), group in groups.items():
        found = walk(group, capital, taker)
        if found is None:
            typer.echo(f"walk-forward, {name}, {label}: too few days")
            continue
        typer.echo(
            f"walk-forward, {name}, {label}: {found.equity[-1] - 1:.1%} in {len(found.equity)} "
            f"days, Sharpe {found.sharpe:.2f} (best afterwards {found.best_afterwards:.2f}), "
            f"deepest fall {found.drawdown:.1%}; chosen: {', '.join(found.chosen)}"
        )


def _sweep(texts: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        if not sign or not values:
            from activities.learning.strategy_trials import BacktestError

            raise BacktestError(f"a sweep is PARAMETER=VALUE,VALUE…, not {text!r}")
        found[name] = values.split(",")
    return found


def as_document(trial: "Trial") -> dict[str, Any]:
    """Return a trial as JSON-ready values; what is not known is null."""
    from dataclasses import asdict

    document: dict[str, Any] = _finite(
        {
            "strategy": trial.strategy,
            "label": trial.label,
            "bars": [result.bars.source for result in trial.results],
            "figures": asdict(trial.figures),
            "holding": asdict(trial.holding),
            "edge": asdict(trial.edge),
            "counts": asdict(trial.counts),
            "ambiguous_share": trial.counts.ambiguous_share,
            "total_if_ambiguous_bars_were_for_us": trial.optimistic,
            "drawdown_reordered": dict(
                zip(("median", "worst_twentieth"), trial.drawdowns, strict=True)
            ),
            "total_under_other_fees": trial.other_fees,
        }
    )
    return document


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, float) and value != value:  # noqa: PLR0124
        return None
    return value


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
