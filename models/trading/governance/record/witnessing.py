"""What a witness accepts: a log that only grows."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.trading.governance.record.checkpoints import Checkpoint
from models.trading.governance.record.merkle import EMPTY_ROOT, grew


@dataclass(frozen=True, slots=True)
class Remembered:
    """The newest checkpoint that a witness has cosigned; of size 0 before the first."""

    size: int = 0
    root: bytes = EMPTY_ROOT


def objection(
    remembered: Remembered, old_size: int, proof: Sequence[bytes], shown: Checkpoint
) -> str:
    """Return why a checkpoint is not cosigned, "" when it is.

    Args:
        remembered: what this witness has cosigned last.
        old_size: the size from which the log proves its growth.
        proof: its consistency proof, from ``old_size`` to the size shown.
        shown: the checkpoint, its signature already checked.
    """
    if shown.size < remembered.size:
        return (
            f"the log has {shown.size} rows and had {remembered.size}: rows were cut off, or an "
            "older copy was restored"
        )
    if old_size != remembered.size:
        return f"growth is to be proven from {remembered.size} rows, not from {old_size}"
    if not grew(remembered.size, shown.size, remembered.root, shown.root, proof):
        return f"the first {remembered.size} rows are no longer what they were"
    return ""
