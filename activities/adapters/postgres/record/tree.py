"""The stored tree: rows are added in the order in which they were found committed."""

from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import groupby
from operator import attrgetter

from sqlalchemy import text

from activities.adapters.postgres.record.rows import ROW_FIELDS, recorded_row
from activities.ports.record import Integrated, RecordDamagedError, StoredCheckpoint
from infra.runtime.database.connections import Database, RecordSession
from models.trading.governance.record.merkle import (
    GrowingTree,
    Node,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    proof,
    proof_nodes,
    subtree_hash,
    whole_nodes,
)
from models.trading.governance.record.rows import RecordedRow

BATCH = 2000
"""Rows that are added in one transaction, at most of one chain."""

# Any fixed number: two processes that would both add rows meet at this lock.
_LOCK = text("SELECT pg_advisory_xact_lock(4707110220)")
_SIZE = text("SELECT coalesce(max(leaf_index) + 1, 0) AS size FROM audit_leaves")
_LAST = """CROSS JOIN LATERAL (SELECT coalesce(max(l.sequence), 0) AS last FROM audit_leaves l
    WHERE l.account_id = h.account_id) known"""
_PENDING = text(
    f"""SELECT {ROW_FIELDS} FROM audit_heads h {_LAST}
        CROSS JOIN LATERAL (SELECT * FROM audit_log a WHERE a.account_id = h.account_id
            AND a.sequence > known.last ORDER BY a.sequence LIMIT :most) a
        WHERE h.sequence > known.last ORDER BY a.account_id, a.sequence"""  # noqa: S608
)
# Chains that end before what the tree holds of them, or that are gone altogether. Their names are
# read with one index probe each.
_SHORTENED = text(
    """WITH RECURSIVE chains(account_id) AS (
           (SELECT account_id FROM audit_leaves ORDER BY account_id LIMIT 1)
           UNION ALL
           SELECT (SELECT l.account_id FROM audit_leaves l WHERE l.account_id > c.account_id
               ORDER BY l.account_id LIMIT 1)
           FROM chains c WHERE c.account_id IS NOT NULL)
       SELECT c.account_id, coalesce(h.sequence, 0) AS sequence, known.last FROM chains c
       LEFT JOIN audit_heads h USING (account_id)
       CROSS JOIN LATERAL (SELECT max(l.sequence) AS last FROM audit_leaves l
           WHERE l.account_id = c.account_id) known
       WHERE c.account_id IS NOT NULL AND coalesce(h.sequence, 0) < known.last"""
)
_ADD = text(
    """INSERT INTO audit_leaves (leaf_index, account_id, sequence, leaf_hash, recorded_at, actor,
           action, correlation, request, words)
       SELECT n.leaf_index, a.account_id, a.sequence, n.leaf_hash, a.recorded_at, a.actor,
           a.action, a.correlation,
           coalesce(a.details->>'request', a.context->>'request', ''), audit_words(a)
       FROM unnest(CAST(:indexes AS bigint[]), CAST(:accounts AS text[]),
           CAST(:sequences AS bigint[]), CAST(:hashes AS bytea[]))
           AS n(leaf_index, account_id, sequence, leaf_hash)
       JOIN audit_log a USING (account_id, sequence)"""
)
_ADD_NODES = text(
    """INSERT INTO audit_nodes (level, node_index, hash) SELECT * FROM
       unnest(CAST(:levels AS smallint[]), CAST(:indexes AS bigint[]), CAST(:hashes AS bytea[]))"""
)
_NODES = text(
    """SELECT w.level, w.node_index, coalesce(n.hash, l.leaf_hash) AS hash
       FROM unnest(CAST(:levels AS smallint[]), CAST(:indexes AS bigint[])) AS w(level, node_index)
       LEFT JOIN audit_nodes n ON n.level = w.level AND n.node_index = w.node_index
       LEFT JOIN audit_leaves l ON w.level = 0 AND l.leaf_index = w.node_index"""
)
_SAVE = text(
    """INSERT INTO audit_checkpoints (size, at, reason, note, cosigned)
       VALUES (:size, :at, :reason, :note, :cosigned)
       ON CONFLICT (size) DO UPDATE SET at = excluded.at, reason = excluded.reason,
           note = excluded.note, cosigned = excluded.cosigned
       WHERE excluded.cosigned OR NOT audit_checkpoints.cosigned"""
)


class PostgresRecordTree:
    """Implement ``RecordTree`` over a Database of the role ``aether_recorder``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def integrate(self) -> Integrated:
        """Add rows that were committed since; a chain's rows stay in their order.

        Raises:
            RecordDamagedError: a chain is shorter than the tree knows it.
        """
        async with self._database.no_scope() as session:
            await session.sql(_LOCK)
            shortened = (await session.sql(_SHORTENED)).all()
            if shortened:
                raise RecordDamagedError(
                    "; ".join(
                        f"{row.account_id} has {row.sequence} rows and had {row.last}"
                        for row in shortened
                    )
                )
            size = (await session.sql(_SIZE)).scalar_one()
            found = (await session.sql(_PENDING, {"most": BATCH})).all()
            rows = _in_order(recorded_row(row) for row in found)
            if not rows:
                return Integrated(size, frozenset(), complete=True)
            await _add(session, size, rows[:BATCH])
        actions = frozenset(row.action for row in rows[:BATCH])
        return Integrated(size + len(rows[:BATCH]), actions, complete=len(rows) < BATCH)

    async def size(self) -> int:
        """Return how many leaves the tree has."""
        async with self._database.no_scope() as session:
            return int((await session.sql(_SIZE)).scalar_one())

    async def root(self, size: int) -> bytes:
        """Return the root over the first ``size`` leaves.

        Raises:
            RecordDamagedError: a node of the tree is missing.
        """
        nodes = whole_nodes(0, size)
        async with self._database.no_scope() as session:
            known = await _nodes(session, nodes)
        return subtree_hash(0, size, known.__getitem__)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of ``new`` leaves grew from that of ``old``."""
        return await self._proof(consistency_ranges(old, new))

    async def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the proof that a leaf is in the tree of ``size`` leaves."""
        return await self._proof(inclusion_ranges(index, size))

    async def inclusions(self, indexes: Sequence[int], size: int) -> list[list[bytes]]:
        """Return the proofs of many leaves in the tree of ``size`` leaves, in one reading."""
        ranges = [inclusion_ranges(index, size) for index in indexes]
        nodes = {node for one in ranges for node in proof_nodes(one)}
        async with self._database.no_scope() as session:
            known = await _nodes(session, sorted(nodes))
        return [proof(one, known.__getitem__) for one in ranges]

    async def save_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a checkpoint; a newer one of the same size takes its place, if as well cosigned."""
        values = {
            "size": checkpoint.size,
            "at": checkpoint.at,
            "reason": checkpoint.reason,
            "note": checkpoint.note,
            "cosigned": checkpoint.cosigned,
        }
        async with self._database.no_scope() as session:
            await session.sql(_SAVE, values)

    async def _proof(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        async with self._database.no_scope() as session:
            known = await _nodes(session, proof_nodes(ranges))
        return proof(ranges, known.__getitem__)


def _in_order(rows: Iterable[RecordedRow]) -> list[RecordedRow]:
    """Merge chains by time; a chain's own rows stay in order even where its clock went back."""
    chains = [list(group) for _, group in groupby(rows, key=attrgetter("account"))]
    return list(merge(*chains, key=attrgetter("recorded_at")))


async def _add(session: RecordSession, size: int, rows: list[RecordedRow]) -> None:
    edge = whole_nodes(0, size)
    known = await _nodes(session, edge)
    tree = GrowingTree(size, [known[node] for node in edge])
    made = [tree.append(leaf_hash(row.content())) for row in rows]
    leaves = {
        "indexes": [nodes[0][0].index for nodes in made],
        "accounts": [row.account for row in rows],
        "sequences": [row.sequence for row in rows],
        "hashes": [nodes[0][1] for nodes in made],
    }
    await session.sql(_ADD, leaves)
    above = [one for nodes in made for one in nodes[1:]]
    values = {
        "levels": [node.level for node, _ in above],
        "indexes": [node.index for node, _ in above],
        "hashes": [value for _, value in above],
    }
    await session.sql(_ADD_NODES, values)


async def _nodes(session: RecordSession, nodes: Sequence[Node]) -> dict[Node, bytes]:
    values = {"levels": [n.level for n in nodes], "indexes": [n.index for n in nodes]}
    found = (await session.sql(_NODES, values)).all() if nodes else []
    missing = [row for row in found if row.hash is None]
    if missing:
        raise RecordDamagedError(f"a node of the tree is missing: {tuple(missing[0])[:2]}")
    return {Node(row.level, row.node_index): bytes(row.hash) for row in found}
