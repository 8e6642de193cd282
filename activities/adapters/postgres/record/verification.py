"""Verifying the whole record against checkpoints that were kept outside the database."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from activities.adapters.postgres.audit import ChainReport, verify_chain
from activities.adapters.postgres.record.rows import ROW_FIELDS, recorded_row
from infra.runtime.database.connections import Database
from infra.runtime.note_keys import WITNESS, NoteVerifier
from models.tables.governance.governance import PLATFORM
from models.trading.governance.record.checkpoints import CheckpointError, checkpoint_of, note_of
from models.trading.governance.record.verdicts import (
    Fault,
    Finding,
    KnownCheckpoint,
    Leaf,
    RecordJudge,
)

PAGE = 5000

_LEAVES = text(
    f"""SELECT l.leaf_index, l.leaf_hash, l.account_id AS leaf_account,
            l.sequence AS leaf_sequence, {ROW_FIELDS}
        FROM audit_leaves l LEFT JOIN audit_log a
            ON a.account_id = l.account_id AND a.sequence = l.sequence
        WHERE l.leaf_index > :after ORDER BY l.leaf_index LIMIT :page"""  # noqa: S608
)
_CHECKPOINTS = text("SELECT note, at FROM audit_checkpoints ORDER BY size")
_ENDS = text("SELECT account_id, max(sequence) AS last FROM audit_log GROUP BY account_id")
_HEADS = text("SELECT account_id FROM audit_heads")


class CheckpointRefusedError(ValueError):
    """A checkpoint that was shown is not one of this log."""


@dataclass(frozen=True, slots=True)
class RecordReport:
    """What verifying a record found.

    Attributes:
        rows: rows of all chains, and how many of them the tree holds.
        findings: every fault, located.
        proven: the newest checkpoint up to which everything holds, None: nothing is proven.
        unprotected: rows after the last cosignature: true as far as the database says.
    """

    rows: int
    in_tree: int
    findings: tuple[Finding, ...]
    chains: tuple[ChainReport, ...]
    proven: KnownCheckpoint | None
    cosigned: KnownCheckpoint | None
    unprotected: int

    @property
    def intact(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings


def shown_checkpoints(
    notes: Iterable[str], verifiers: Sequence[NoteVerifier]
) -> list[KnownCheckpoint]:
    """Return checkpoints that were shown from outside the database.

    Raises:
        CheckpointRefusedError: one is not signed by the log.
    """
    return [_known(note, verifiers, None, trusted=True) for note in notes]


async def verify_record(
    database: Database, verifiers: Sequence[NoteVerifier], shown: Sequence[KnownCheckpoint]
) -> RecordReport:
    """Recompute every chain and the tree from the rows, and compare it with every checkpoint.

    Args:
        database: connected as ``aether_recorder``, which sees every chain.
        verifiers: the log's key and its witnesses'.
        shown: from outside the database, see ``shown_checkpoints``. Those inside are used besides:
            they are signed, so that none can be made up, but they may have been deleted.
    """
    judge = RecordJudge([*shown, *await _stored(database, verifiers)])
    async for leaf in _leaves(database):
        judge.see(leaf)
    judge.end()
    ends = await _ends(database)
    chains = await _chains(database, [*ends, *judge.sequences])
    findings = [*judge.findings, *_broken(chains, judge), *_outside(ends, judge)]
    cosigned = [known for known in shown if known.cosigned]
    newest = max(cosigned, key=lambda known: (known.checkpoint.size, known.at), default=None)
    covered = newest if newest is not None else judge.proven
    rows = sum(ends.values())
    protected = covered.checkpoint.size if covered is not None and covered.cosigned else 0
    return RecordReport(
        rows=rows,
        in_tree=judge.size,
        findings=tuple(findings),
        chains=tuple(chains),
        proven=judge.proven,
        cosigned=newest,
        unprotected=max(0, rows - protected),
    )


def _known(
    note: str, verifiers: Sequence[NoteVerifier], made_at: datetime | None, *, trusted: bool
) -> KnownCheckpoint:
    try:
        signed = note_of(note)
        checkpoint = checkpoint_of(signed.text)
    except CheckpointError as error:
        raise CheckpointRefusedError(f"not a checkpoint: {error}") from None
    by_log = [v for v in verifiers if v.kind != WITNESS and v.signed_at(signed) is not None]
    if not any(v.name == checkpoint.origin for v in by_log):
        raise CheckpointRefusedError(
            f"the checkpoint of {checkpoint.origin} is not signed with a key that is known here"
        )
    times = [at for v in verifiers if v.kind == WITNESS and (at := v.signed_at(signed))]
    at = max(times, default=made_at)
    if at is None:
        raise CheckpointRefusedError("the checkpoint is not cosigned: when it was made is unknown")
    return KnownCheckpoint(checkpoint, at, cosigned=bool(times), trusted=trusted)


async def _stored(database: Database, verifiers: Sequence[NoteVerifier]) -> list[KnownCheckpoint]:
    found = []
    for row in await database.call(_CHECKPOINTS):
        try:
            found.append(_known(row.note, verifiers, row.at, trusted=False))
        except CheckpointRefusedError:
            # What stands in the database and is not signed proves nothing, for or against it.
            continue
    return found


async def _leaves(database: Database) -> AsyncIterator[Leaf]:
    after = -1
    while True:
        async with database.no_scope() as session:
            page = (await session.sql(_LEAVES, {"after": after, "page": PAGE})).all()
        for row in page:
            found = None if row.account_id is None else recorded_row(row)
            yield Leaf(
                row.leaf_index, row.leaf_account, row.leaf_sequence, bytes(row.leaf_hash), found
            )
            after = row.leaf_index
        if len(page) < PAGE:
            return


async def _ends(database: Database) -> dict[str, int]:
    rows = {row.account_id: row.last for row in await database.call(_ENDS)}
    heads = {row.account_id: 0 for row in await database.call(_HEADS)}
    return heads | rows


async def _chains(database: Database, named: Iterable[str]) -> list[ChainReport]:
    names = dict.fromkeys([PLATFORM, *await database.accounts(), *named])
    return [await verify_chain(database, name) for name in names]


def _broken(chains: Iterable[ChainReport], judge: RecordJudge) -> list[Finding]:
    found = []
    for chain in chains:
        # A chain that the tree names already is not told twice.
        if chain.broken_at is not None and not any(
            f.account == chain.account for f in judge.findings
        ):
            where = f"row {chain.broken_at} of {chain.account}"
            found.append(
                Finding(Fault.CHAIN, chain.account, where, -1, -1, f"{where}: {chain.reason}")
            )
    return found


def _outside(ends: dict[str, int], judge: RecordJudge) -> list[Finding]:
    found = []
    for account, last in judge.sequences.items():
        if ends.get(account, 0) < last and not any(f.account == account for f in judge.findings):
            reason = f"{account} ends at row {ends.get(account, 0)}, the tree holds {last}"
            found.append(Finding(Fault.MISSING, account, account, -1, -1, reason))
    return found
