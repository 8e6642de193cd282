"""Keeps the record's tree and checkpoints beside the trading worker, until it stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy import text

from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.record.tree import PostgresRecordTree
from activities.adapters.record.file_witness import FileWitness
from activities.adapters.record.http_witness import HttpWitness
from activities.adapters.record.signer import LogSigner, log_key, log_name
from activities.record.keeper import Alarm, RecordKeeper
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.errors import StateError
from infra.runtime.event_loop import beside
from infra.runtime.note_keys import verifier_of
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.tables.governance.governance import PLATFORM

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
LAST_SECONDS = 5.0
_INSTALLATION = text("SELECT value FROM platform_settings WHERE name = 'installation'")


@asynccontextmanager
async def kept_record(settings: Settings, journal: PostgresJournal) -> AsyncIterator[None]:
    """Keep the record while the block runs; at its end make the last checkpoint."""
    stop = asyncio.Event()
    keeping = beside("record", partial(_keep, settings, journal, stop))
    try:
        yield
    finally:
        stop.set()
        done, _ = await asyncio.wait([keeping], timeout=LAST_SECONDS)
        if not done:
            keeping.cancel()
            log.warning("the record's last checkpoint was not made in time")
        await asyncio.gather(keeping, return_exceptions=True)


async def _keep(settings: Settings, journal: PostgresJournal, stop: asyncio.Event) -> None:
    async def alarm(action: str, why: str) -> None:
        await journal.audit(PLATFORM, "aether", action, {"reason": why}, "")

    database = Database(
        database_url(settings, Role.RECORDER), application="aether-record", connections=2
    )
    try:
        keeper = await _keeper(settings, database, alarm, stop)
        if keeper is not None:
            await keeper.run(stop)
    finally:
        await database.close()


async def _keeper(
    settings: Settings, database: Database, alarm: Alarm, stop: asyncio.Event
) -> RecordKeeper | None:
    places, secrets = StateDirectory(settings.home), installation_secrets(settings)
    while not stop.is_set():
        try:
            rows = await database.call(_INSTALLATION)
            if settings.witness_url:
                verifier_of(settings.witness_key)
            signer = LogSigner(
                log_key(secrets, places.secrets), places.record, log_name(rows[0].value)
            )
        except (ConnectionError, OSError, StateError, IndexError) as error:
            log.warning("the record is not protected yet", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)
            continue
        witness = FileWitness(settings.witness, signer.verifier, _now)
        others = []
        if settings.witness_url:
            known = verifier_of(settings.witness_key)
            others.append(HttpWitness(settings.witness_url, known, places.record / "far-witness"))
        return RecordKeeper(PostgresRecordTree(database), signer, witness, _now, alarm, others)
    return None


def _now() -> datetime:
    return datetime.now(UTC)
