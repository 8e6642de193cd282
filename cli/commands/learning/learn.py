"""`aether learn`: trainings, the ledger of trials, and which model trades."""

import json
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from cli.client import ApiClient
from infra.runtime.settings import Settings

app = typer.Typer(help="Training, its ledger, and which model trades.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the record.")]


@app.command()
def train(reason: Reason, *, key: Key = None) -> None:
    """Start a training; nothing trades by it without the gate and another person's approval."""
    with ApiClient(Settings()) as api:
        found = api.post("/learning/trainings", {"reason": reason}, key)
    typer.echo(f"training {found['run_id']} has begun: aether learn status")


@app.command()
def cancel(run: Annotated[str, typer.Argument(help="The training.")], *, key: Key = None) -> None:
    """Cancel a training that has not ended; it stops after the trial under way."""
    with ApiClient(Settings()) as api:
        found = api.post(f"/learning/trainings/{run}/cancel", {}, key)
    typer.echo(f"training {found['run_id']} is cancelled: aether learn status")


@app.command()
def status(*, as_json: Json = False) -> None:
    """Show which model trades, and the trainings with their progress and verdicts."""
    with ApiClient(Settings()) as api:
        found = {
            "champion": api.get("/learning/champion"),
            "trainings": api.get("/learning/trainings"),
        }
    typer.echo(json.dumps(found) if as_json else "\n".join(_status(found)))


@app.command()
def drift(*, as_json: Json = False) -> None:
    """Show how far the features are from what the champion learnt, by the nightly run."""
    with ApiClient(Settings()) as api:
        found = api.get("/learning/drift")
    typer.echo(json.dumps(found) if as_json else "\n".join(_drift(found)))


@app.command()
def ledger(*, as_json: Json = False) -> None:
    """List every trial that was ever run, newest first."""
    with ApiClient(Settings()) as api:
        found = api.get("/learning/trials")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        sharpe = "took no trade" if one["sharpe"] is None else f"Sharpe ratio {one['sharpe']:.2f}"
        typer.echo(f"{one['finished_at']} {one['trial']}: {sharpe}, {one['seconds']:.1f} s")


@app.command()
def models(*, as_json: Json = False) -> None:
    """List the registered models, newest first; no trade is the first of them."""
    with ApiClient(Settings()) as api:
        found = api.get("/learning/models")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for one in found:
        counts = f"{one['decisions']} decisions, {one['refusals']} refused"
        typer.echo(f"{one['version']} {one['standing']}: {one['trial']}, {counts}")


@app.command()
def graph(
    of: Annotated[str, typer.Option("--of", help="Only what this node depends on.")] = "",
    feeds: Annotated[str, typer.Option("--feeds", help="Only what this node feeds.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Show which data feed which features, regimes, models and strategies, by version."""
    asked = {name: value for name, value in (("of", of), ("feeds", feeds)) if value}
    with ApiClient(Settings()) as api:
        found = api.get(f"/learning/graph?{urlencode(asked)}" if asked else "/learning/graph")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for node in found["nodes"]:
        fed = [edge["target"] for edge in found["edges"] if edge["source"] == node["node"]]
        version = f" {node['version']}" if node["version"] else ""
        typer.echo(f"{node['node']}{version} -> {', '.join(fed) or 'nothing'}")


@app.command()
def rollback(reason: Reason, *, key: Key = None) -> None:
    """Withdraw the champion: the one before it trades again, or nothing does."""
    with ApiClient(Settings()) as api:
        found = api.post("/learning/champion/rollback", {"reason": reason}, key)
    typer.echo(f"champion: {found['model']}")


def _status(found: dict[str, Any]) -> list[str]:
    champion = found["champion"]
    lines = [f"champion: {champion['model']} since {champion['changed_at']}: {champion['reason']}"]
    return [*lines, *(_training(one) for one in found["trainings"])]


def _drift(found: dict[str, Any]) -> list[str]:
    if found["unknown"]:
        return [f"champion {found['model']}: not known, {found['unknown']}"]
    head = f"champion {found['model']}, {found['vectors']} vectors, at {found['measured_at']}"
    return [head, *(_moved(one) for one in found["features"])]


def _moved(one: dict[str, Any]) -> str:
    moved = "has moved" if one["moved"] else "as it was"
    return f"{one['feature']} {one['index']:.2f}, at most {one['limit']:.2f} by chance: {moved}"


def _shadow(shadow: dict[str, Any] | None) -> str:
    if shadow is None:
        return ": aether approvals list"
    counted = f"{shadow['decisions']} of {shadow['wanted']} decisions in shadow"
    if shadow["reason"] is None:
        return f", decides in shadow: {counted}"
    failed = f", {shadow['reason']}" if shadow["reason"] else ": aether approvals list"
    return f", {counted}{failed}"


def _training(one: dict[str, Any]) -> str:
    asked = f"{one['run_id']} by {one['requested_by']} ({one['reason'] or 'no reason given'})"
    head = f"{asked}: {one['finished']} of {one['planned']} trials"
    if one["cancelled_by"] is not None:
        return f"{head}, cancelled by {one['cancelled_by']}"
    if one["passed"] is None:
        left = one["seconds_left"]
        return head if left is None else f"{head}, about {left:.0f} s left"
    if one["passed"]:
        return f"{head}, {one['candidate']} passed the gate{_shadow(one['shadow'])}"
    return f"{head}, refused by the gate: {', '.join(one['reasons'])}"
