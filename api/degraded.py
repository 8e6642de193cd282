"""Degraded modes that depend on what people have done so far, besides those of the processes."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from activities.adapters.postgres.governance.freezes import PostgresFreezes
from activities.adapters.postgres.learning.champions import standing_of_champion
from activities.adapters.postgres.market.rules_record import newest_version
from activities.adapters.postgres.orders.quarantine import PostgresQuarantine
from activities.adapters.postgres.record.protection import record_fault
from activities.adapters.postgres.record.told_events import read_events
from activities.market.rules import INSTALLATION
from api.approvals.freezing import freezes_now
from api.queries import notifications
from api.services import Services
from infra.runtime.disk_space import short_of_room
from infra.runtime.errors import StateError
from infra.runtime.record_keys import record_verifiers
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.contracts.learning import NO_TRADE
from models.tables import QuarantinedWriteRow

READ_SECONDS = 1.0
EVENTS_SECONDS = 60.0
FAILED_WITHIN = timedelta(hours=1)
BACKLOG_MAXIMUM = 1_000
"""Rows that wait while the notifying process is busy, or gone; it looks every second."""
UNREACHED = "notifications: they reach nobody, nobody has set up a channel"
UNREAD = "record: not every degraded mode could be read in time"
SHOWN = 20
NO_DIRECTOR = "people: no director has been set up yet (aether admin set-up-link)"
UNAPPROVED = "universe: approved by the installation at its first start, by no person yet"


async def all_degraded_modes(services: Services) -> list[str]:
    """Return every degraded mode in use now, and once that not all could be read."""
    overload = services.admission.degraded()
    standing = await _standing(services)
    record = await _record(services)
    champion = await _champion(services)
    events = await _events(services)
    told = [*await _notifications(services), *_nearly_full(services.settings)]
    found = [*overload, *services.degraded_modes, *standing, *record, *champion, *events, *told]
    return list(dict.fromkeys(found))


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
        return [UNREAD]
    return [f"record: {fault}"] if fault else []


async def _champion(services: Services) -> list[str]:
    """Tell of a champion that cannot decide, and of decisions that saw other figures."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            found = await standing_of_champion(services.database)
    except (OSError, TimeoutError, SQLAlchemyError):
        return [UNREAD]
    said = []
    if found.model != NO_TRADE and not services.settings.learning:
        said.append(f"learning: champion {found.model} decides nothing, nobody watches it")
    if found.refusal:
        said.append(f"learning: the champion refused its newest idea: {found.refusal}")
    if found.differing:
        said.append(f"learning: {found.differing} decisions saw other features than their replay")
    return said


async def _events(services: Services) -> list[str]:
    try:
        async with asyncio.timeout(READ_SECONDS):
            told = await read_events(services.database)
    except (OSError, TimeoutError, SQLAlchemyError):
        return [UNREAD]
    found = []
    late = {name: one for name, one in told.items() if one.oldest_seconds(_now()) > EVENTS_SECONDS}
    if late:
        waiting = sum(one.waiting for one in late.values())
        found.append(f"events: the broker has taken none for a minute, {waiting} wait")
    if lost := sum(one.lost for one in told.values()):
        found.append(f"events: {lost} were lost for want of room (AETHER_EVENTS_ROOM)")
    return found


async def _notifications(services: Services) -> list[str]:
    """Tell where people are not reached: no channel, messages that fail, rows not looked at."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            kinds = await notifications.kinds(services.database, _now() - FAILED_WITHIN)
            standing = await notifications.standing(services.database)
    except (OSError, TimeoutError, SQLAlchemyError):
        return [UNREAD]
    found = [] if any(row.channels for row in kinds) else [UNREACHED]
    found += [
        f"notifications: {row.failed} by {row.kind} failed within the hour: {row.last_failure}"
        for row in kinds
        if row.failed
    ]
    if standing.backlog > BACKLOG_MAXIMUM:
        found.append(f"notifications: {standing.backlog} rows of the record wait to be looked at")
    return found


def _now() -> datetime:
    return datetime.now(UTC)


async def _standing(services: Services) -> list[str]:
    try:
        async with asyncio.timeout(READ_SECONDS), services.database.no_scope() as session:
            version = await newest_version(session)
        async with asyncio.timeout(READ_SECONDS):
            quarantined = await PostgresQuarantine(services.database).standing()
        async with asyncio.timeout(READ_SECONDS):
            people = [*await _people(services), *await _freezes(services)]
    except (OSError, TimeoutError, SQLAlchemyError):
        return [UNREAD]
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


async def _freezes(services: Services) -> list[str]:
    held = [f"freeze: changes are frozen: {one.reason}" for one in await freezes_now(services)]
    breaks = await PostgresFreezes(services.database).breaks(SHOWN, unreviewed=True)
    return held + [
        f"freeze: {one.operation} by {one.broken_by} waits for a review: {one.reason}"
        for one in breaks
    ]


def _quarantines(rows: list[QuarantinedWriteRow]) -> list[str]:
    counts = Counter(row.account_id for row in rows)
    return [
        f"record: {count} writes of {account} are quarantined (aether admin quarantine)"
        for account, count in sorted(counts.items())
    ]
