"""`aether bench`: how fast the whole running stack is, part by part. It judges nothing by time."""

import json
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from cli.bench.backtest.measure import measure as measure_backtest
from cli.bench.burst import measure as measure_burst
from cli.bench.envelope import command as envelope
from cli.bench.feed import measure as measure_feed
from cli.bench.latency import Plan, measure
from cli.bench.record.audit import measure as measure_audit
from cli.bench.scale import measure as measure_scale
from cli.bench.scale_table import show as show_scale
from cli.bench.stack import throwaway_stack
from cli.output.tables import Figures
from infra.runtime.extra_packages import need
from infra.runtime.settings import Settings
from infra.stack.embedded import Stack

app = typer.Typer(help="Measure the whole running stack.", no_args_is_help=True)

RESULT = Path("build") / "bench-latency.json"
BURST_RESULT = Path("build") / "bench-burst.json"
AUDIT_RESULT = Path("build") / "bench-audit.json"
FEED_RESULT = Path("build") / "bench-feed.json"
DATA_RESULT = Path("build") / "bench-data.json"
BACKTEST_RESULT = Path("build") / "bench-backtest.json"
TRAINING_RESULT = Path("build") / "bench-training.json"
SCALE_RESULT = Path("build") / "bench-scale.json"
NUMBERS_OF_ACCOUNTS = (3, 10, 30, 100)


class Which(StrEnum):
    """The stack to measure."""

    OWN = "own"
    RUNNING = "running"


@app.callback()
def _bench() -> None:
    """Measure the whole running stack."""


@app.command()
def latency(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    trades: Annotated[int, typer.Option(min=1, help="Trades to open at least.")] = 300,
    rate: Annotated[float, typer.Option(min=0.1, max=20, help="Trades opened a second.")] = 3.0,
    kill_switches: Annotated[int, typer.Option(min=0, help="Engagements to measure.")] = 20,
    withdrawals: Annotated[int, typer.Option(min=0, help="Engagements with open orders.")] = 5,
    stack: Annotated[
        Which,
        typer.Option(
            help="own: a throwaway one beside whatever runs. running: the one of AETHER_HOME; "
            "trades and price moves then happen there, but no kill switch: two people lift it."
        ),
    ] = Which.OWN,
) -> None:
    """Measure request to acknowledgement, fill to stop, crossing to exit, and the kill switch.

    Exit code 1 when a trade failed or an invariant is violated, whatever the times are.
    """
    plan = Plan(trades, rate, kill_switches, withdrawals, raise_limits=stack is Which.OWN)
    with _stack(stack) as settings:
        report = measure(settings, plan, _tell)
    _write(RESULT, report)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _show(report)
    raise typer.Exit(1 if report["failures"] or not report["verify"]["clean"] else 0)


@app.command()
def burst(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    opens: Annotated[int, typer.Option(min=1, max=1000, help="Entries asked for at once.")] = 200,
    bursts: Annotated[int, typer.Option(min=1, help="How often.")] = 2,
) -> None:
    """Ask for many entries at once: none may stay without its stop for longer than five seconds.

    Exit code 1 when a stop rested later, a refusal does not say when to repeat, entries are not
    taken again, or an invariant is violated.
    """
    with throwaway_stack(Settings(), _tell) as settings:
        report = measure_burst(settings, opens, bursts, _tell)
    _write(BURST_RESULT, report)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _show_burst(report)
    raise typer.Exit(1 if report["failures"] or not report["verify"]["clean"] else 0)


@app.command()
def feed(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    seconds: Annotated[float, typer.Option(min=0.1, help="CPU seconds for each figure.")] = 5.0,
    recordings: Annotated[
        Path | None,
        typer.Option(help="Directory with Kraken's recorded messages, played as well."),
    ] = None,
) -> None:
    """Measure book updates per second on one core: parsed, applied, checksum verified.

    Exit code 1 when a checksum failed or a frame could not be read, whatever the rate is.
    """
    report = measure_feed(seconds, recordings or _recordings(), _tell)
    _write(FEED_RESULT, report)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        for row in report["feeds"]:
            socket = row["socket"]
            typer.echo(
                f"{row['updates_per_second']:>9,} updates/s from memory, "
                f"{socket['updates_per_second']:>9,} from a socket, "
                f"{row['levels_per_update']:>4} levels each, "
                f"{row['failures'] + socket['failures']} failures: {row['source']}"
            )
        words = {None: "not measured without recordings", True: "met", False: "not met"}
        typer.echo(
            f"budget {report['budget_per_second']:,}/s of Kraken's own frames from a socket: "
            f"{words[report['met']]}"
        )
    raise typer.Exit(1 if report["failures"] else 0)


@app.command()
def audit(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    rows: Annotated[int, typer.Option(min=1_000, help="Rows of the record.")] = 1_000_000,
    searches: Annotated[int, typer.Option(min=5, help="Searches of each kind.")] = 60,
) -> None:
    """Measure searches of a large record, in a database of their own; a page has 100 rows."""
    report = measure_audit(rows, searches, _tell)
    _write(AUDIT_RESULT, report)
    if as_json:
        typer.echo(json.dumps(report))
        return
    for kind, found in report["searches"].items():
        typer.echo(f"{found['p50_ms']:>8} ms p50 {found['p95_ms']:>8} ms p95  {kind}")
    typer.echo(
        f"{report['rows']:,} rows; budget p95 {report['budget_p95_ms']} ms: "
        f"{'met' if report['met'] else 'not met'}"
    )


@app.command()
def scale(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    accounts: Annotated[
        list[int] | None, typer.Option(min=1, max=500, help="How many; once for each number.")
    ] = None,
    watch: Annotated[float, typer.Option(min=1, help="Seconds to watch each state.")] = 10.0,
) -> None:
    """Measure stacks of 3, 10, 30 and 100 accounts with open trades: latency, memory, load.

    Exit code 1 when a trade failed or an invariant is violated, whatever the figures are.
    """
    report = measure_scale(Settings(), accounts or NUMBERS_OF_ACCOUNTS, watch, _tell)
    _write(SCALE_RESULT, report)
    if as_json:
        typer.echo(json.dumps(report))
    else:
        show_scale(report)
    raise typer.Exit(1 if report["failures"] or not report["clean"] else 0)


@app.command()
def backtest(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    peer: Annotated[bool, typer.Option(help="Install and time vectorbt beside it.")] = True,
) -> None:
    """Measure bars per second of both backtest engines, beside vectorbt in the same run.

    Exit code 1 when the engines made different trades, whatever the rates are.
    """
    need("numba", "requirements-research.lock")
    report = measure_backtest(_tell, with_peer=peer)
    _write(BACKTEST_RESULT, report)
    typer.echo(json.dumps(report) if as_json else json.dumps(report, indent=2))
    raise typer.Exit(0 if report["same_trades"] else 1)


@app.command()
def training(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    pairs: Annotated[int, typer.Option(min=1, max=50, help="Pairs.")] = 10,
    years: Annotated[int, typer.Option(min=1, max=10, help="Years of hourly bars.")] = 3,
) -> None:
    """Measure a whole training on hourly bars: seconds by step, and the greatest memory.

    Exit code 1 when a random walk was promoted, whatever the times are.
    """
    from cli.commands.learning.bench_training import measure as measure_training

    report = measure_training(_tell, pairs=pairs, years=years)
    _write(TRAINING_RESULT, report)
    typer.echo(json.dumps(report) if as_json else json.dumps(report, indent=2))
    raise typer.Exit(1 if report["promoted"] else 0)


@app.command()
def data(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    rows: Annotated[int, typer.Option(min=1000, max=50_000_000, help="Candles.")] = 5_000_000,
) -> None:
    """Measure an import of minute candles: read, judged and in the database, rows per second.

    Exit code 1 when rows are missing, whatever the rate is.
    """
    from cli.bench.data import measure as measure_data

    report = measure_data(rows, _tell)
    _write(DATA_RESULT, report)
    typer.echo(json.dumps(report) if as_json else json.dumps(report, indent=2))
    raise typer.Exit(0 if report["held"] == rows else 1)


app.command()(envelope.load)
app.command()(envelope.cluster)


def _recordings() -> Path | None:
    """Return the recordings beside the checkout, where there are any."""
    found = Path(__file__).resolve().parents[3] / "shared" / "kraken-recordings"
    return found if found.is_dir() else None


def _write(path: Path, report: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")


def _stack(which: Which) -> AbstractContextManager[Settings]:
    settings = Settings()
    if which is Which.OWN:
        return throwaway_stack(settings, _tell)
    return nullcontext(Stack(settings).settings)


def _show_burst(report: dict[str, Any]) -> None:
    stops = report["fill_to_stop"]
    for number, row in enumerate(report["bursts"], 1):
        answers = ", ".join(f"{count} {kind}" for kind, count in row["answers"].items())
        typer.echo(
            f"burst {number}: {answers}; slowest answer {row['slowest_answer_seconds']} s; "
            f"entries taken again after {row['taken_again_after_seconds']} s"
        )
    typer.echo(
        f"fill to stop p50 {stops['p50_ms']} ms, p99 {stops['p99_ms']} ms, "
        f"longest {stops.get('longest_ms')} ms of {stops['n']}; promised {report['promised_ms']} ms"
    )
    typer.echo(f"invariants {'hold' if report['verify']['clean'] else 'VIOLATED'}")
    for failure in report["failures"]:
        typer.echo(f"failed: {failure}")


def _show(report: dict[str, Any]) -> None:
    columns = (
        *("figure", "p50 ms", "p99 ms", "n", "budget p50 / p99", "met"),
        *("of bare chain p50 / p99", "budget of it", "met"),
    )
    table = Figures(columns, right=frozenset(columns[1:4]))
    for name, figure in report["figures"].items():
        _row(table, name, figure)
        for part, parted in figure.get("parts", {}).items():
            _row(table, f"  {part}", parted)
    table.show()
    console = Console(soft_wrap=True)
    machine = report["machine"]
    loads = ", ".join(f"{when} {load:.1f}" for when, load in machine["load_average"].items())
    console.print(f"{machine['cores']} cores; load average: {loads}")
    verify = report["verify"]
    console.print(
        f"{report['trades']} trades, {verify['orders']} orders, {verify['fills']} fills; "
        f"invariants {'hold' if verify['clean'] else 'VIOLATED'}"
    )
    for failure in report["failures"]:
        console.print(f"failed: {failure}", style="red")
    for finding in verify["findings"]:
        console.print(f"violated: {finding}", style="red")


def _row(table: Figures, name: str, figure: dict[str, Any]) -> None:
    budget = figure.get("budget", {})
    limits = " / ".join(f"{budget.get(name, '-')}" for name in ("p50_ms", "p99_ms"))
    met = {None: "", True: "yes", False: "no"}[figure.get("met")]
    middle, high = figure["p50_ms"], figure["p99_ms"]
    table.add(
        name,
        "-" if middle is None else f"{middle:.1f}",
        "-" if high is None else f"{high:.1f}",
        str(figure["n"]),
        limits if budget else "",
        met,
        _pair(figure.get("ratio", {})),
        _pair(figure.get("ratio_budget", {})),
        {None: "", True: "yes", False: "no"}[figure.get("ratio_met")],
    )


def _pair(found: dict[str, float | None]) -> str:
    return f"{found['p50']} / {found['p99']}" if found.get("p50") is not None else ""


_STARTED = time.monotonic()


def _tell(line: str) -> None:
    print(f"[{time.monotonic() - _STARTED:5.0f} s] {line}", file=sys.stderr, flush=True)
