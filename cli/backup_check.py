"""Verifying a backup: restored into an empty place, what of it is looked at, and by what."""

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.engine import make_url

from activities.adapters.postgres.audit import verify_chains
from activities.adapters.postgres.record.verification import (
    shown_checkpoints,
    verify_record,
)
from cli.commands.governance.audit_verification import notes_of
from infra.backup import manifest as manifests
from infra.backup.keys import DATA, BackupKeys
from infra.backup.manifest import Manifest, Verified
from infra.backup.restore import LookAtRecord, Restorer
from infra.backup.stores import ObjectStore
from infra.backup.verified import note_verified
from infra.runtime.database.connections import Database, Role
from infra.runtime.errors import ProvisioningError
from infra.runtime.record_keys import record_verifiers
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.trading.governance.record.verdicts import KnownCheckpoint

REPLAYING = "workers.backups.replaying"
NO_CHECKPOINT = "no checkpoint was cosigned before the backup was made"
NO_KEY = "the key of the secrets is not here, and payloads are encrypted"
ELSEWHERE = "Temporal's server is not the embedded one"


def verify_backup(
    settings: Settings,
    store: ObjectStore,
    keys: BackupKeys,
    name: str,
    also: LookAtRecord | None = None,
) -> Verified:
    """Restore a backup into an empty place without network, look at all of it, and note that.

    Books and heads of the audit, every chain, the tree against the checkpoints that the witness
    remembers, and a replay of every history that was open.

    Args:
        settings: of the installation.
        store: where the backup is.
        keys: the keys of backups.
        name: the backup's.
        also: what looks at the restored record at last, and may change it.

    Raises:
        PlatformError: names what is missing, altered or different.
    """
    began = time.monotonic()
    restorer = Restorer(store, keys, name)
    found = Verified(name=name, at=datetime.now(UTC), seconds=0)
    settings.backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    restorer.check(
        settings.backups,
        lambda url: [
            *_look_at_record(settings, restorer.manifest, found, url),
            *(also(url) if also is not None else ()),
        ],
        partial(_look_at_histories, settings, found),
    )
    if "temporal" not in restorer.manifest.parts:
        found.not_checked["histories"] = restorer.manifest.left_out.get("temporal", ELSEWHERE)
    elif not restorer.opens_secrets:
        found.not_checked["histories"] = NO_KEY
    found.at, found.seconds = datetime.now(UTC), time.monotonic() - began
    manifests.write(store, name, found, manifests.VERIFIED_FILE, keys.key(DATA))
    note_verified(settings.home, name, restorer.manifest.began_at, found.at)
    return found


def chains_at_fault(url: str) -> list[str]:
    """Return what is wrong with the audit chains of a record, recomputed here.

    Args:
        url: the record, by any role; it is read as ``aether_reader``.
    """

    async def look() -> list[str]:
        database = Database(_as_role(url, Role.READER), application="aether-backup")
        try:
            reports = await verify_chains(database)
        finally:
            await database.close()
        return [f"{r.account} {r.broken_at}: {r.reason}" for r in reports if not r.intact]

    return asyncio.run(look())


def _look_at_record(settings: Settings, manifest: Manifest, found: Verified, url: str) -> list[str]:
    faults = chains_at_fault(url)
    verifiers = record_verifiers(settings)
    if not verifiers:
        found.not_checked["checkpoints"] = NO_CHECKPOINT
        return faults

    async def look() -> list[str]:
        database = Database(_as_role(url, Role.RECORDER), application="aether-backup")
        try:
            report = await verify_record(database, verifiers, _remembered(settings, manifest))
        finally:
            await database.close()
        if report.proven is None:
            found.not_checked["checkpoints"] = NO_CHECKPOINT
        elif report.proven.cosigned:
            found.proven_rows = report.proven.checkpoint.size
        return [f"{one.fault.value} {one.where}: {one.reason}" for one in report.findings]

    return faults + asyncio.run(look())


def _remembered(settings: Settings, manifest: Manifest) -> list[KnownCheckpoint]:
    """Return what the witness remembers of the time before the backup began."""
    files = [settings.witness / name for name in ("checkpoints.jsonl", "checkpoint")]
    notes = [note for file in files if file.exists() for note in notes_of(file)]
    known = shown_checkpoints(notes, record_verifiers(settings))
    return [one for one in known if one.at <= manifest.began_at]


def _look_at_histories(
    settings: Settings, found: Verified, copy: Path, until: datetime
) -> list[str]:
    from infra.stack import temporal_server

    try:
        program = temporal_server.find_or_provide(StateDirectory(settings.home), lambda _line: None)
    except ProvisioningError as error:  # of a machine that only verifies
        found.not_checked["histories"] = str(error)
        return []
    words = [str(copy), str(program), until.isoformat()]
    done = subprocess.run(  # noqa: S603  # our own module, no shell
        [sys.executable, "-m", REPLAYING, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        return [f"histories could not be replayed: {lines[-1]}"]
    replayed = json.loads(done.stdout)
    found.replayed = int(replayed["count"])
    return [f"a history does not replay: {failure}" for failure in replayed["failures"]]


def _as_role(url: str, role: Role) -> str:
    return make_url(url).set(username=role.value).render_as_string(hide_password=False)
