"""`aether notify`: what people are told, whether it reaches them, and the providers' secrets."""

import json
from typing import Annotated, Any

import typer

from cli.client import ApiClient, segment
from cli.output.secrets import store_provider_secret
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

app = typer.Typer(help="Notifications: who is told of what.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[
    str | None, typer.Option(help="Idempotency key: a repeat with it does nothing twice.")
]
SECRETS = ("smtp-password", "sms-token", "chat-token")


@app.command("list")
def list_notifications(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also what is over or seen.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, at most.")] = 50,
    as_json: Json = False,
) -> None:
    """List notifications that nobody has acknowledged, newest first."""
    with ApiClient(Settings()) as api:
        page = api.get("/notifications", only_open=str(not everything).lower(), limit=limit)
    found = page["notifications"]
    if as_json:
        typer.echo(json.dumps(found))
        return
    if not found:
        typer.echo("nothing waits for anybody" if not everything else "nobody was told anything")
    for one in found:
        typer.echo(_line(one))


@app.command()
def status(*, as_json: Json = False) -> None:
    """Tell whether messages reach people, and what is not set up."""
    with ApiClient(Settings()) as api:
        found = api.get("/notifications/status")
    if as_json:
        typer.echo(json.dumps(found))
        return
    typer.echo(
        f"{found['unacknowledged']} wait for an acknowledgement; {found['backlog']} rows of the "
        "record are still to be looked at"
    )
    for kind in found["kinds"]:
        figures = f"{kind['channels']} channels, last day {kind['sent']} sent"
        failures = f", {kind['failed']} failed: {kind['last_failure']}" if kind["failed"] else ""
        missing = f" — {kind['missing']}" if kind["missing"] else ""
        typer.echo(f"{kind['kind']:8} {figures}{failures}{missing}")


@app.command("test")
def send_test(
    *,
    severity: Annotated[
        str, typer.Option(help="information, warning or critical.")
    ] = "information",
    title: Annotated[str, typer.Option(help="One line.")] = "A test of the channels",
    key: Key = None,
) -> None:
    """Tell everybody who has chosen such messages that this is a test."""
    body = {"title": title, "severity": severity, "event": "test"}
    with ApiClient(Settings()) as api:
        api.post("/notifications", body, key)
    typer.echo("begun; what became of it: aether notify list --all, aether notify status")


@app.command()
def acknowledge(
    notification: Annotated[str, typer.Argument(help="Its id: aether notify list.")],
    *,
    key: Key = None,
) -> None:
    """Say that you have seen it: nobody is reminded any more. Takes a person who has signed in."""
    with ApiClient(Settings()) as api:
        api.post(f"/notifications/{segment(notification)}/acknowledge", {}, key)
    typer.echo("acknowledged")


@app.command()
def secret(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(SECRETS)}.")],
) -> None:
    """Store a provider's password or token, read from standard input; it is never shown again."""
    if name not in SECRETS:
        raise ConfigurationError(f"no such secret: {name}; known are {', '.join(SECRETS)}")
    store_provider_secret(name)


def _line(one: dict[str, Any]) -> str:
    seen = f", seen by {one['acknowledged_by']}" if one["acknowledged_by"] else ""
    over = ", over" if one["resolved_at"] else ""
    times = f" x{one['occurrences']}" if one["occurrences"] > 1 else ""
    failed = f", {one['failed']} messages failed" if one["failed"] else ""
    return (
        f"{one['since'][:19]} {one['severity']:11} {one['title']} ({one['scope']}){times}"
        f"{seen}{over}{failed}  {one['notification_id']}"
    )
