"""Up to when the record is protected: its newest checkpoint that a witness cosigned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from infra.runtime.database.connections import Database
from infra.runtime.note_keys import WITNESS, NoteVerifier
from models.trading.governance.record.cadence import protection_fault
from models.trading.governance.record.checkpoints import CheckpointError, checkpoint_of, note_of

_NEWEST = text(
    "SELECT note FROM audit_checkpoints WHERE cosigned ORDER BY at DESC, size DESC LIMIT 1"
)
_ROWS = text("SELECT audit_row_count() AS rows")


@dataclass(frozen=True, slots=True)
class Protection:
    """What the newest cosigned checkpoint covers.

    Attributes:
        cosigned_at: when a witness cosigned it, None: never, or no signature holds.
        size: rows that it covers.
        unprotected: rows of all chains that came after it.
    """

    cosigned_at: datetime | None
    size: int
    unprotected: int


async def read_protection(database: Database, verifiers: Sequence[NoteVerifier]) -> Protection:
    """Return what is protected. The signatures are checked: the database alone proves nothing."""
    notes = await database.call(_NEWEST)
    rows = int((await database.call(_ROWS))[0].rows)
    at, size = _cosigned(notes[0].note, verifiers) if notes else (None, 0)
    return Protection(at, size, max(0, rows - size))


async def record_fault(
    database: Database,
    verifiers: Callable[[], Sequence[NoteVerifier]],
    clock: Callable[[], datetime],
) -> str:
    """Return why the record is not protected up to now, "" when it is."""
    protection = await read_protection(database, verifiers())
    return protection_fault(protection.cosigned_at, clock())


def _cosigned(note: str, verifiers: Sequence[NoteVerifier]) -> tuple[datetime | None, int]:
    try:
        signed = note_of(note)
        checkpoint = checkpoint_of(signed.text)
    except CheckpointError:
        return None, 0
    by_log = any(v.kind != WITNESS and v.signed_at(signed) for v in verifiers)
    times = [at for v in verifiers if v.kind == WITNESS and (at := v.signed_at(signed))]
    if not by_log or not times:
        return None, 0
    return max(times), checkpoint.size
