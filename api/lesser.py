"""Lesser forms that depend on what people have done so far, besides those of the processes."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from activities.adapters.postgres.market.rules_record import newest_version
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.adapters.postgres.record.protection import record_fault
from activities.market.rules import INSTALLATION
from api.services import Services
from infra.runtime.disk_space import short_of_room
from infra.runtime.errors import StateError
from infra.runtime.record_keys import record_verifiers
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.tables import QuarantinedWriteRow

READ_SECONDS = 1.0
NO_DIRECTOR = "people: no director has been set up yet (aether admin set-up-link)"
UNAPPROVED = "universe: approved by the installation at its first start, by no person yet"


async def all_lesser_forms(services: Services) -> list[str]:
    """Return every lesser form in use now; a record that does not answer adds none."""
    overload = services.admission.degraded()
    standing = await _standing(services)
    record = await _record(services)
    return [*overload, *services.lesser_forms, *standing, *record, *_nearly_full(services.settings)]


def written_places(settings: Settings) -> dict[str, Path]:
    """Return where the installation keeps what it must be able to write."""
    home = StateDirectory(settings.home)
    places = {"state": home.home, "temporal": home.temporal_database.parent}
    return places if settings.database_url else places | {"postgres": home.postgres}


def _nearly_full(settings: Settings) -> list[str]:
    places = written_places(settings) | {"logs": StateDirectory(settings.home).logs}
    short = short_of_room(places, settings.disk_free_warning_mb)
    return [f"disk: {name} has {room}" for name, room in short.items()]


async def _record(services: Services) -> list[str]:
    try:
        async with asyncio.timeout(READ_SECONDS):
            fault = await record_fault(
                services.database, partial(record_verifiers, services.settings), _now
            )
    except StateError as error:
        return [f"record: {error}"]
    except (OSError, TimeoutError, SQLAlchemyError):
        return []
    return [f"record: {fault}"] if fault else []


def _now() -> datetime:
    return datetime.now(UTC)


async def _standing(services: Services) -> list[str]:
    try:
        async with asyncio.timeout(READ_SECONDS), services.database.no_scope() as session:
            version = await newest_version(session)
        async with asyncio.timeout(READ_SECONDS):
            quarantined = await PostgresQuarantine(services.database).standing()
        async with asyncio.timeout(READ_SECONDS):
            people = await _people(services)
    except (OSError, TimeoutError, SQLAlchemyError):
        return []
    unapproved = version is not None and version.approved_by == INSTALLATION
    return [*([UNAPPROVED] if unapproved else []), *_quarantines(quarantined), *people]


async def _people(services: Services) -> list[str]:
    people = services.identity.people
    found = [] if await people.has_director() else [NO_DIRECTOR]
    return found + [
        f"recovery of user/{row['user_id']} asked for by {row['asked_by']}, from "
        f"{row['effective_at'][:16]} UTC on, unless somebody cancels it"
        for row in await people.recoveries()
    ]


def _quarantines(rows: list[QuarantinedWriteRow]) -> list[str]:
    counts = Counter(row.account_id for row in rows)
    return [
        f"record: {count} writes of {account} are quarantined (aether admin quarantine)"
        for account, count in sorted(counts.items())
    ]
