"""Rows of the record with their proofs, for evidence packs."""

from collections.abc import Sequence

from sqlalchemy import text

from activities.adapters.postgres.record.rows import ROW_FIELDS, recorded_row
from activities.adapters.postgres.record.tree import PostgresRecordTree
from activities.ports.record import RecordDamagedError, Selection, StoredCheckpoint
from infra.runtime.database.connections import Database
from models.trading.governance.record.evidence import ProvenRow
from models.trading.governance.record.merkle import leaf_hash

_NEWEST = text(
    """SELECT size, at, reason, note, cosigned FROM audit_checkpoints
       ORDER BY cosigned DESC, size DESC LIMIT 1"""
)
_ROWS = text(
    f"""SELECT l.leaf_index, l.leaf_hash, {ROW_FIELDS} FROM audit_leaves l
        JOIN audit_log a ON a.account_id = l.account_id AND a.sequence = l.sequence
        WHERE l.leaf_index > :after AND l.leaf_index < :size
        AND (CAST(:account AS text) IS NULL OR l.account_id = :account)
        AND (CAST(:since AS timestamptz) IS NULL OR l.recorded_at >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR l.recorded_at < :until)
        ORDER BY l.leaf_index LIMIT :limit"""  # noqa: S608
)


class PostgresEvidence:
    """Implement ``EvidenceSource`` over a Database of the role ``aether_recorder``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tree = PostgresRecordTree(database)

    async def newest_checkpoint(self) -> StoredCheckpoint | None:
        """Return the newest cosigned checkpoint, else the newest, None before the first."""
        rows = await self._database.call(_NEWEST)
        if not rows:
            return None
        row = rows[0]
        return StoredCheckpoint(row.size, row.at, row.reason, row.note, row.cosigned)

    async def proven_rows(
        self, selection: Selection, after: int, size: int, limit: int
    ) -> Sequence[ProvenRow]:
        """Return rows behind a place of the tree, in its order, with proofs for a tree's size.

        Raises:
            RecordDamagedError: a row is not what was recorded: no pack is made of it.
        """
        values = {
            "account": selection.account,
            "since": selection.since,
            "until": selection.until,
            "after": after,
            "size": size,
            "limit": limit,
        }
        async with self._database.no_scope() as session:
            rows = (await session.sql(_ROWS, values)).all()
        proofs = await self._tree.inclusions([row.leaf_index for row in rows], size)
        found = []
        for row, path in zip(rows, proofs, strict=True):
            recorded = recorded_row(row)
            if leaf_hash(recorded.content()) != bytes(row.leaf_hash):
                raise RecordDamagedError(
                    f"row {row.sequence} of {row.account_id} is not what was recorded"
                )
            found.append(ProvenRow(row.leaf_index, recorded, tuple(path)))
        return found

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree grew from an older size."""
        return await self._tree.consistency(old, new)
