"""`aether bench load` and `aether bench cluster`: what one machine carries, and what many would."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output.tables import Figures
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

RESULT = Path("build") / "bench-load.json"
SCALE_RESULT = Path("build") / "bench-scale.json"
ACCOUNTS_OF_A_MACHINE = (10,)
ACCOUNTS_OF_A_CLUSTER = (10, 100, 10_000)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def load(
    *,
    as_json: Json = False,
    accounts: Annotated[
        list[int] | None, typer.Option(min=1, max=500, help="How many; once for each number.")
    ] = None,
    step: Annotated[float, typer.Option(min=2, help="Seconds of each step.")] = 15.0,
) -> None:
    """Measure what one machine carries: entries and reads, raised until something breaks.

    Exit code 1 when an invariant is violated or a step failed, whatever the figures are.
    """
    from cli.bench.envelope.measure import measure

    report = measure(Settings(), accounts or ACCOUNTS_OF_A_MACHINE, step, _tell)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n")
    if as_json:
        typer.echo(json.dumps(report))
    else:
        _show(report)
    raise typer.Exit(1 if report["failures"] or not report["clean"] else 0)


def cluster(
    *,
    as_json: Json = False,
    accounts: Annotated[
        list[int] | None, typer.Option(min=1, help="How many; once for each number.")
    ] = None,
    hourly: Annotated[
        float, typer.Option(min=0, help="Trades that each account opens an hour.")
    ] = 4.0,
    scale: Annotated[
        Path, typer.Option(help="Report of `aether bench scale` that the law comes from.")
    ] = SCALE_RESULT,
) -> None:
    """Tell by a model what a cluster of so many accounts takes, part by part; nothing is started.

    The law is fitted to the report of `aether bench scale` and held against it. Exit code 1 when a
    measured state is not within the model's tolerance.
    """
    from cli.bench.envelope.cluster import checked, laws
    from cli.bench.envelope.cluster import cluster as of_a_cluster

    try:
        measured: dict[str, Any] = json.loads(scale.read_text())
        law = laws(measured)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"no law without measurements: {error}") from None
    found = checked(law, measured)
    numbers = accounts or ACCOUNTS_OF_A_CLUSTER
    sizes = {number: of_a_cluster(law, number, hourly / 3600) for number in numbers}
    if as_json:
        typer.echo(json.dumps({"clusters": sizes, "checked": found}))
    else:
        _show_clusters(sizes, found)
    raise typer.Exit(0 if all(row["holds"] for row in found) else 1)


def _show(report: dict[str, Any]) -> None:
    columns = ("accounts", "load", "held", "broke at", "first to break", "held up by")
    table = Figures(columns, right=frozenset())
    for row in report["rows"]:
        for name, found in row["envelope"].items():
            tried = "nothing that was tried" if found["held"] else "not tried"
            broke = "; ".join(found["first_to_break"] or ()) or tried
            rates = (_rates(found["held"]), _rates(found["broke_at"]))
            table.add(str(row["accounts"]), name, *rates, broke, found["held_up_by"] or "")
    table.show()
    machine = report["machine"]
    loads = ", ".join(f"{when} {value:.1f}" for when, value in machine["load_average"].items())
    typer.echo(f"{machine['cores']} cores; load average: {loads}")
    for failure in report["failures"]:
        typer.echo(f"failed: {failure}")
    typer.echo(f"invariants {'hold' if report['clean'] else 'VIOLATED'}")


def _rates(step: dict[str, float] | None) -> str:
    if step is None:
        return "-"
    return f"{step['trades_a_second']:g} entries/s, {step['requests_a_second']:g} reads/s"


def _show_clusters(sizes: dict[int, list[dict[str, Any]]], found: list[dict[str, Any]]) -> None:
    names = ("accounts", "part", "cores", "shards", "instances", "memory MB", "shards by")
    table = Figures(names, right=frozenset(names[2:6]))
    for number, parts in sizes.items():
        for part in parts:
            places = ("cores", "shards", "instances", "memory_megabytes")
            figures = [str(part.get(place, "not measured")) for place in places]
            table.add(str(number), part["part"], *figures, part.get("key", ""))
    table.show()
    for part in next(iter(sizes.values())):
        if part.get("built"):
            typer.echo(f"not built yet: {part['part']}: {part['built']}")
    within = sum(row["holds"] for row in found)
    typer.echo(f"{within} of {len(found)} measured states are within the model's tolerance")


_STARTED = time.monotonic()


def _tell(line: str) -> None:
    print(f"[{time.monotonic() - _STARTED:5.0f} s] {line}", file=sys.stderr, flush=True)
