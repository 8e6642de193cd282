"""Evidence packs in the database: asked for by the API, made by whoever holds the record's key."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel import col, select

from activities.adapters.postgres import audit
from activities.ports.record import PackTarget, Selection, WantedPack
from infra.runtime.database.connections import PLATFORM_SCOPE, Database
from models.tables.governance.packs import EvidencePackFileRow, EvidencePackRow

QUEUED, READY, REFUSED, EXPIRED = "queued", "ready", "refused", "expired"
_COUNT = text(
    """SELECT count(*) FROM audit_leaves l
       WHERE (CAST(:account AS text) IS NULL OR l.account_id = :account)
       AND (CAST(:since AS timestamptz) IS NULL OR l.recorded_at >= :since)
       AND (CAST(:until AS timestamptz) IS NULL OR l.recorded_at < :until)"""
)
_END = text(
    """UPDATE evidence_packs SET state = :state, reason = :reason, rows = :rows,
           tree_size = :tree_size, ended_at = :at WHERE pack_id = :pack AND state = 'queued'"""
)
_WRITE = text(
    """INSERT INTO evidence_pack_files VALUES (:pack, :name, :content)
       ON CONFLICT (pack_id, name) DO UPDATE SET content = excluded.content"""
)
_FORGET = text(
    """WITH old AS (UPDATE evidence_packs SET state = 'expired' WHERE state = 'ready'
           AND ended_at < :before RETURNING pack_id)
       DELETE FROM evidence_pack_files f USING old WHERE f.pack_id = old.pack_id"""
)
_ASK = text(
    """INSERT INTO evidence_packs (pack_id, requested_by, requested_at, account, since, until,
           state, reason)
       VALUES (:pack, :by, :at, :account, :since, :until, 'queued', '') ON CONFLICT DO NOTHING"""
)


class _PackFiles:
    """Implement ``PackTarget``: the files of one pack."""

    def __init__(self, database: Database, pack: str) -> None:
        self._database = database
        self._pack = pack

    async def read(self, name: str) -> bytes | None:
        """Return a file, None when there is none."""
        async with self._database.no_scope() as session:
            row = await session.get(EvidencePackFileRow, (self._pack, name))
        return None if row is None else bytes(row.content)

    async def write(self, name: str, content: bytes) -> None:
        """Write a file whole."""
        async with self._database.no_scope() as session:
            await session.sql(_WRITE, {"pack": self._pack, "name": name, "content": content})


class PostgresPackDesk:
    """Implement ``ports.PackDesk``; needs a Database of the role ``aether_recorder``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_wanted(self) -> WantedPack | None:
        """Return the oldest pack that is not made yet."""
        query = select(EvidencePackRow).where(EvidencePackRow.state == QUEUED)
        async with self._database.no_scope() as session:
            ordered = query.order_by(col(EvidencePackRow.requested_at)).limit(1)
            row = (await session.exec(ordered)).first()
        if row is None:
            return None
        return WantedPack(row.pack_id, Selection(row.account, row.since, row.until))

    async def count(self, selection: Selection) -> int:
        """Return how many rows of the tree a selection has."""
        values = {
            "account": selection.account,
            "since": selection.since,
            "until": selection.until,
        }
        async with self._database.no_scope() as session:
            return int((await session.sql(_COUNT, values)).scalar_one())

    def target(self, pack: str) -> PackTarget:
        """Return where the files of a pack go."""
        return _PackFiles(self._database, pack)

    async def finish(self, pack: str, rows: int, tree_size: int, at: datetime) -> None:
        """Note that a pack can be fetched."""
        await self._end(pack, READY, "", at, rows, tree_size)

    async def refuse(self, pack: str, reason: str, at: datetime) -> None:
        """Note why a pack is not made."""
        await self._end(pack, REFUSED, reason[:500], at)

    async def forget(self, before: datetime) -> None:
        """Forget the files of packs that were made before a time."""
        async with self._database.no_scope() as session:
            await session.sql(_FORGET, {"before": before})

    async def _end(
        self,
        pack: str,
        state: str,
        reason: str,
        at: datetime,
        rows: int | None = None,
        tree_size: int | None = None,
    ) -> None:
        values = {"pack": pack, "state": state, "reason": reason, "at": at}
        async with self._database.no_scope() as session:
            await session.sql(_END, values | {"rows": rows, "tree_size": tree_size})


class PostgresPacks:
    """Packs as people see them; needs a Database of the role ``aether_api``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, pack: str, by: str, at: datetime, selection: Selection) -> None:
        """Ask for a pack, audited, once by its id."""
        values = {
            "pack": pack,
            "by": by,
            "at": at,
            "account": selection.account,
            "since": selection.since,
            "until": selection.until,
        }
        scope = selection.account or PLATFORM_SCOPE
        async with self._database.account_scope(scope) as session:
            noted = await session.sql(_ASK, values)
            if noted.rowcount == 1:
                await audit.append(session, scope, by, "evidence_requested", _told(pack, selection))

    async def note_download(self, row: EvidencePackRow, by: str) -> None:
        """Write into the record that somebody fetches a pack."""
        scope = row.account or PLATFORM_SCOPE
        details = _told(row.pack_id, Selection(row.account, row.since, row.until))
        async with self._database.account_scope(scope) as session:
            await audit.append(session, scope, by, "evidence_fetched", details)

    async def packs(self, limit: int) -> Sequence[EvidencePackRow]:
        """Return packs, newest first."""
        query = select(EvidencePackRow).order_by(col(EvidencePackRow.requested_at).desc())
        async with self._database.no_scope() as session:
            return (await session.exec(query.limit(limit))).all()

    async def pack(self, pack: str) -> EvidencePackRow | None:
        """Return one pack, None when there is none."""
        async with self._database.no_scope() as session:
            return await session.get(EvidencePackRow, pack)

    async def waiting(self) -> int:
        """Return how many packs wait to be made."""
        query = text("SELECT count(*) FROM evidence_packs WHERE state = 'queued'")
        async with self._database.no_scope() as session:
            return int((await session.sql(query)).scalar_one())

    async def names(self, pack: str) -> list[str]:
        """Return the names of a pack's files, in order."""
        query = select(EvidencePackFileRow.name).where(EvidencePackFileRow.pack_id == pack)
        async with self._database.no_scope() as session:
            return sorted((await session.exec(query)).all())

    async def file(self, pack: str, name: str) -> bytes:
        """Return a file of a pack.

        Raises:
            LookupError: it is gone.
        """
        async with self._database.no_scope() as session:
            row = await session.get(EvidencePackFileRow, (pack, name))
        if row is None:
            raise LookupError(f"{name} of pack {pack} is gone")
        return bytes(row.content)


def _told(pack: str, selection: Selection) -> dict[str, str]:
    return {
        "pack": pack,
        "account": selection.account or "",
        "since": selection.since.isoformat() if selection.since else "",
        "until": selection.until.isoformat() if selection.until else "",
    }
