"""`aether data`: bring history into the running record, and tell what is held."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.commands.data.backfill import backfill
from cli.commands.data.candles import candles
from cli.commands.data.key import key
from cli.commands.data.record import history_record, once_large
from cli.commands.data.sanctions import sanctions
from cli.output.tables import Figures
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

if TYPE_CHECKING:
    from activities.adapters.postgres.history.standing import Doubt, HistoryStanding
    from activities.history.importing import Progress

TOLD_EVERY_SECONDS = 2.0
SETTINGS = {
    "history": "AETHER_HISTORY_SCHEDULE",
    "sanctions": "AETHER_SANCTIONS_LIST",
    "sentiment": "AETHER_SENTIMENT",
}
FOUND_BAD = 1

app = typer.Typer(help="History: imports, back-fills, what is held.", no_args_is_help=True)
app.command("backfill")(backfill)
app.command("sanctions")(sanctions)
app.command("candles")(candles)
app.command("key")(key)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("import")
def import_history(
    paths: Annotated[list[Path], typer.Argument(help="Files or directories.")],
    *,
    venue: Annotated[str, typer.Option(help="Whose market; else the folder or form says.")] = "",
    pair: Annotated[str, typer.Option(help="Like BTC/USD; else the name says.")] = "",
    interval: Annotated[int, typer.Option(min=0, help="Minutes; else the name says.")] = 0,
    accept_outliers: Annotated[
        str,
        typer.Option(metavar="REASON", help="Take in batches that differ from another source."),
    ] = "",
    batch_rows: Annotated[int, typer.Option(min=1, max=1_000_000, hidden=True)] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Import Kraken's archives (CSV, zip), Parquet and CoinGecko's history; repeating is harmless.

    Every batch is judged first. One with a fault is quarantined whole, with its reason; the others
    go in. What was interrupted goes on where it stood. Exit code 1 when something is in quarantine.
    """
    from activities.adapters.history_files.sources import find_sources
    from activities.history.importing import import_source

    sources = [
        source
        for path in paths
        for source in find_sources(path, venue=venue, symbol=pair, interval_minutes=interval)
    ]
    if any(source.interval_minutes < 1 for source in sources):
        names = ", ".join(s.label for s in sources if s.interval_minutes < 1)
        raise ConfigurationError(f"the length of a bar cannot be told: say --interval ({names})")
    done = []
    settings = Settings()
    with history_record(settings) as record:
        gives_way = once_large(record, settings)
        for source in sources:
            teller = _Teller(as_json=as_json, after_each=gives_way)
            done.append(
                import_source(
                    source,
                    record,
                    lambda: int(time.time()),
                    teller.progress,
                    accepted=accept_outliers.strip(),
                    batch_rows=batch_rows,
                )
            )
            teller.done(done[-1])
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in done]))
    raise typer.Exit(FOUND_BAD if any(one.quarantined_batches for one in done) else 0)


@app.command()
def status(
    *,
    pair: Annotated[str, typer.Option(help="Only this, like BTC/USD.")] = "",
    gaps: Annotated[int, typer.Option(min=0, max=10_000, help="Longest gaps to name.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Tell which series are held, the bars that are absent, unfinished imports, the quarantine."""
    from activities.adapters.postgres.history.standing import history_standing

    with history_record(Settings()) as record:
        standing = history_standing(record.reading, pair or None, gaps)
    if as_json:
        typer.echo(json.dumps(asdict(standing), default=str))
        return
    table = Figures(
        ("series", "bars", "first", "last", "gaps", "absent", "longest", "unknown"),
        right=frozenset(("bars", "gaps", "absent", "longest")),
    )
    for one in standing.series:
        table.add(
            f"{one.venue} {one.symbol} {one.interval_minutes}m",
            f"{one.rows:,}",
            f"{one.first:%Y-%m-%d %H:%M}",
            f"{one.last:%Y-%m-%d %H:%M}",
            f"{one.gaps:,}",
            f"{one.absent_bars:,}",
            f"{one.longest_gap_bars:,}",
            "volume" if one.volume_unknown else "",
        )
    if standing.series:
        table.show()
    else:
        typer.echo("no history is held: aether data import PATH, or aether data backfill")
    from models.learning.backtest.bars import remarks_on

    for venue in dict.fromkeys(one.venue for one in standing.series):
        for remark in remarks_on(venue):
            typer.echo(f"{venue}: {remark}")
    for gap in standing.gaps:
        typer.echo(
            f"gap: {gap.venue} {gap.symbol} {gap.interval_minutes}m, {gap.absent_bars:,} bars "
            f"absent between {gap.before:%Y-%m-%d %H:%M} and {gap.after:%Y-%m-%d %H:%M}"
        )
    for left in standing.unfinished:
        typer.echo(
            f"unfinished: {left.label} ({left.venue} {left.symbol} {left.interval_minutes}m), "
            f"{left.rows:,} rows so far; the same import goes on"
        )
    for bad in standing.quarantined:
        reasons = "; ".join(one["sample"][0] for one in bad.findings if one["sample"])
        typer.echo(
            f"quarantined: {bad.label}, rows {bad.first_row:,} to "
            f"{bad.first_row + max(bad.rows, 1) - 1:,}: {reasons}"
        )
    _show_doubts(standing.doubts, compared=bool(Settings().second_feed))
    _show_works(standing)


def _show_doubts(doubts: "list[Doubt]", *, compared: bool) -> None:
    if not compared:
        typer.echo("second feed: off, prices are compared with none (AETHER_SECOND_FEED)")
    for one in doubts:
        until = f" until {one.ended_at:%Y-%m-%d %H:%M}" if one.ended_at else ", stands"
        since = f"{one.began_at:%Y-%m-%d %H:%M}"
        typer.echo(f"second feed: {one.symbol} {one.kind} since {since}{until}: {one.detail}")


def _show_works(standing: "HistoryStanding") -> None:
    scheduled = {one.work for one in standing.works}
    for work, setting in SETTINGS.items():
        if work not in scheduled:
            typer.echo(f"{work}: not brought by a schedule ({setting})")
    for one in standing.works:
        ended = f"last run {one.finished_at:%Y-%m-%d %H:%M}" if one.finished_at else "no run yet"
        failed = f", {one.failures} failures: {'; '.join(one.detail.get('told', []))}"
        typer.echo(f"{one.work}: {ended}{failed if one.failures else ''}")
        for skipped in one.detail.get("skipped", []):
            typer.echo(f"{one.work}: not asked for: {skipped}")
    for mood in standing.sentiment:
        typer.echo(
            f"sentiment: {mood.source} {mood.value} ({mood.words}) of {mood.at:%Y-%m-%d}, "
            f"known since {mood.available_at:%Y-%m-%d %H:%M}"
        )


class _Teller:
    """Says how far an import is, on standard error: in place on a terminal, else now and then."""

    def __init__(self, *, as_json: bool, after_each: Callable[[], None]) -> None:
        self._quiet = as_json
        self._after_each = after_each
        self._told = time.monotonic()
        self._in_place = sys.stderr.isatty()

    def progress(self, progress: "Progress") -> None:
        """Say how far it is, unless that was just said; a batch is done."""
        self._after_each()
        if time.monotonic() - self._told < TOLD_EVERY_SECONDS:
            return
        self._told = time.monotonic()
        end = "\r" if self._in_place else "\n"
        rate = progress.rows / max(progress.seconds, 1e-9)
        sys.stderr.write(f"{progress.label}: {progress.rows:,} rows, {rate:,.0f}/s{end}")
        sys.stderr.flush()

    def done(self, progress: "Progress") -> None:
        """Say what came of it."""
        if self._quiet:
            return
        if progress.already_complete:
            typer.echo(f"{progress.label}: {progress.resumed_rows:,} rows, imported before")
            return
        rate = progress.rows / max(progress.seconds, 1e-9)
        before = (
            f", {progress.resumed_rows:,} from an earlier start" if progress.resumed_rows else ""
        )
        typer.echo(
            f"{progress.label} → {progress.series}: {progress.new_rows:,} new, "
            f"{progress.known_rows:,} known{before}; {progress.gaps:,} gaps, "
            f"{progress.absent_bars:,} bars absent; {progress.seconds:.1f} s ({rate:,.0f} rows/s)"
        )
        if progress.quarantined_batches:
            typer.echo(
                f"{progress.label}: {progress.quarantined_batches} batches "
                f"({progress.quarantined_rows:,} rows) are in quarantine:"
            )
            for finding in progress.findings[:10]:
                typer.echo(f"  {finding}")
