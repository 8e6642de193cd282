"""The scale benchmark's report for people: a column for each number of accounts."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console

from cli.output.tables import Figures

Row = dict[str, Any]

STATES = ("resting", "holding", "steady", "growing")
USED = {
    "memory_megabytes": "memory, MB",
    "cores": "cores",
    "database_transactions_a_second": "database transactions/s",
    "database_connections": "database connections",
    "temporal_requests_a_second": "Temporal requests/s",
    "temporal_storage_requests_a_second": "Temporal storage requests/s",
}
LATENCIES = ("request_to_ack", "fill_to_stop", "cross_to_exit")


def show(report: dict[str, Any]) -> None:
    """Print the report."""
    rows = report["rows"]
    table = Figures(("figure", *(f"{row['accounts']} accounts" for row in rows)))
    table.add("seconds to ready", *(f"{row['ready_seconds']}" for row in rows))
    for name, values in _lines(rows):
        table.add(name, *values)
    table.show()
    console = Console(soft_wrap=True)
    growth = report["growth"]
    console.print(f"one account more, holding a trade: {growth.get('per_account_holding_a_trade')}")
    console.print(f"p99 of the growing load over its budget from: {growth['p99_over_budget_from']}")
    loads = report["machine"]["load_average"]
    console.print(f"{report['machine']['cores']} cores; load average {loads}")
    for failure in report["failures"]:
        console.print(f"failed: {failure}", style="red")
    console.print(f"invariants {'hold' if report['clean'] else 'VIOLATED'}")


def _lines(rows: list[Row]) -> Iterator[tuple[str, list[str]]]:
    for state in STATES:
        for name, words in USED.items():
            yield f"{state}: {words}", [_figure(row, state, name) for row in rows]
        for name in LATENCIES if state in ("steady", "growing") else ():
            yield f"{state}: {name} p50 / p99 ms", [_latency(row, state, name) for row in rows]
    yield "growing: trades/s", [_figure(row, "growing", "rate") for row in rows]
    yield "fall of all stops, s", [str(row.get("fall_of_all_stops_seconds", "-")) for row in rows]


def _figure(row: Row, state: str, name: str) -> str:
    return str(row.get(state, {}).get(name, "-"))


def _latency(row: Row, state: str, name: str) -> str:
    figure = row.get(state, {}).get(name)
    return f"{figure['p50_ms']} / {figure['p99_ms']}" if figure and figure["n"] else "-"
