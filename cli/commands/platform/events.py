"""`aether events`: how far other systems have been told, and telling them no more."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from activities.adapters.postgres.record.outbox import PostgresOutbox
from activities.adapters.postgres.record.told_events import read_events
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings

app = typer.Typer(help="Events for systems outside (AETHER_EVENTS_URL).", no_args_is_help=True)


@app.command()
def status(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Tell how many events of each account wait for the broker, and how many were lost."""
    settings = Settings()

    async def read() -> dict[str, Any]:
        database = Database(database_url(settings, Role.READER), application="aether-cli")
        try:
            told = await read_events(database)
        finally:
            await database.close()
        now = datetime.now(UTC)
        return {
            account: {
                "waiting": one.waiting,
                "oldest_seconds": round(one.oldest_seconds(now), 1),
                "lost": one.lost,
            }
            for account, one in told.items()
        }

    found = asyncio.run(read())
    if as_json:
        typer.echo(json.dumps({"broker": settings.events_url, "events": found}))
        return
    if not found:
        typer.echo("Events are off: nobody is told.")
    for account, one in found.items():
        typer.echo(
            f"{account}: {one['waiting']} wait, the oldest for {one['oldest_seconds']:.0f} s; "
            f"{one['lost']} lost"
        )


@app.command()
def off() -> None:
    """Keep no more events, and forget those that wait; a bridge that starts keeps them again."""
    settings = Settings()

    async def switch() -> bool:
        database = Database(database_url(settings, Role.ADMIN), application="aether-cli")
        try:
            return await PostgresOutbox(database).switch(on=False, room=settings.events_room)
        finally:
            await database.close()

    typer.echo("Events are off." if asyncio.run(switch()) else "Events were off already.")
