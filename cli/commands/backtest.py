"""`aether backtest`: what strategies would have done on recorded candles, net of everything."""

import json
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.backtest_check import check_bias
from cli.commands.backtest_source import Candles
from infra.runtime.extra_packages import need

if TYPE_CHECKING:
    from models.learning.backtest.series import Series
    from models.learning.backtest.study import Trial
    from models.learning.backtest.variants import Walk

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
    venue: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these folders; of the running platform: record, history.VENUE (imported)."
        ),
    ] = None,
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
    check: Annotated[
        bool, typer.Option("--check", help="Only check for bias: look-ahead, recursive warm-up.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write one HTML page here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try strategies on recorded candles, with fees, minimums, slippage and honest fills.

    What is compared with: holding the same pairs, and doing nothing (which gains 0). With --check
    nothing is traded: exit code 1 where a strategy did not pass a check.
    """
    need("numba", LOCK)
    span = (_utc(begin), _utc(end))
    if check:
        candles = Candles(data, pair or [], venue or [], span[1])
        raise typer.Exit(check_bias(candles, strategy or [], interval, span[0], as_json=as_json))
    from activities.learning.strategy_trials import fee_schedule, parse_sweep
    from models.learning.backtest.rules import FillRules, Portfolio
    from models.learning.backtest.variants import walks
    from models.reporting.backtest.page import page

    rules = FillRules(slippage_share=slippage, latency_seconds=latency, fees=fee_schedule(fees))
    trials = run(
        data,
        strategy or [],
        rules,
        Portfolio(capital=capital),
        pairs=pair or [],
        venues=venue or [],
        interval=interval,
        span=span,
        together=together,
        sweep=parse_sweep(sweep or []),
        engine=engine,
    )
    taker = float(rules.fees.tiers[0].rates.taker)
    walked = walks(trials, capital, taker) if walk_forward else []
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(page("Backtest", trials, rules, capital, walked))
    if as_json:
        typer.echo(json.dumps([as_document(trial, walked) for trial in trials]))
    else:
        show(trials, walked)
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
    from activities.learning import strategy_trials as trying

    candles = Candles(data, pairs, venues, span[1])
    return trying.run_trials(
        trying.chosen_strategies(strategies),
        candles,
        rules,
        portfolio,
        interval=interval,
        begin=span[0],
        together=together,
        tell=lambda stage, _done, _planned: _tell(stage),
        sweep=sweep,
        by_reference=engine is Engine.REFERENCE,
        place=candles.place,
        unused=lambda: candles.unused,
    )


def series_in(data: Path, minutes: int) -> "list[Series]":
    """Return the series of an interval that a directory holds; BacktestError without any."""
    from activities.learning import strategy_trials as trying

    return trying.series_in(Candles(data, [], [], None), minutes, None, str(data))


def show(trials: "list[Trial]", walked: "list[Walk]") -> None:
    """Print the table and what belongs beside it."""
    from cli.output.tables import Figures
    from models.reporting.backtest.tables import COLUMNS, notes, rows
    from models.reporting.backtest.walk_forward import walk_line

    table = Figures(COLUMNS, right=frozenset(COLUMNS[2:]))
    for row in rows(trials):
        table.add(*row)
    table.show()
    for line in (*notes(trials), *map(walk_line, walked)):
        typer.echo(line)


def as_document(trial: "Trial", walked: "list[Walk]") -> dict[str, Any]:
    """Return a trial as JSON-ready values; what is not known is null."""
    from dataclasses import asdict

    from models.reporting.backtest.tables import notes
    from models.reporting.backtest.walk_forward import walk_of

    walk = walk_of(trial, walked)
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
            "notes": notes([trial]),
            "walk_forward": None if walk is None else _walk_document(walk),
        }
    )
    return document


def _walk_document(walk: "Walk") -> dict[str, Any]:
    from models.reporting.backtest.walk_forward import TOO_FEW, walk_figures

    if walk.found is None:
        return {"reason": TOO_FEW}
    found = walk.found
    return {**walk_figures(found), "days": len(found.equity), "chosen": list(found.chosen)}


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
