"""Judging a record against its checkpoints: what was found, where, and what is proven still."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from models.trading.governance.record.checkpoints import Checkpoint
from models.trading.governance.record.merkle import GrowingTree, leaf_hash
from models.trading.governance.record.rows import RecordedRow


class Fault(StrEnum):
    """What can be wrong with a record."""

    MISSING = "row-missing"
    CHANGED = "row-changed"
    REORDERED = "rows-reordered"
    LEAF_MISSING = "tree-leaf-missing"
    ENDS_EARLY = "record-ends-early"
    REWRITTEN = "record-rewritten"
    CHAIN = "chain-broken"
    BEYOND = "row-outside-tree"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault and where it is: rows of the tree from ``first`` to ``last``, both counted."""

    fault: Fault
    account: str
    where: str
    first: int
    last: int
    reason: str


@dataclass(frozen=True, slots=True)
class KnownCheckpoint:
    """A checkpoint whose signatures hold.

    Attributes:
        at: when it was cosigned, else when the record says that it was made.
        cosigned: whether a witness stands behind it.
        trusted: whether it was shown from outside the database.
    """

    checkpoint: Checkpoint
    at: datetime
    cosigned: bool
    trusted: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf as stored, with the row that it stands for; ``row`` None: it is gone."""

    index: int
    account: str
    sequence: int
    stored: bytes
    row: RecordedRow | None


class RecordJudge:
    """Follows the leaves in order and compares the tree over them with each checkpoint."""

    def __init__(self, checkpoints: Iterable[KnownCheckpoint]) -> None:
        self._due = sorted(checkpoints, key=lambda c: (c.checkpoint.size, c.trusted, c.at))
        self._tree = GrowingTree()
        self._sequences: dict[str, int] = {}
        self._first_bad: int | None = None
        self.findings: list[Finding] = []
        self.proven: KnownCheckpoint | None = None
        self._disproven: KnownCheckpoint | None = None
        self._compare()

    @property
    def size(self) -> int:
        """Return how many leaves were seen."""
        return self._tree.size

    @property
    def sequences(self) -> dict[str, int]:
        """Return the last row of each chain that the tree holds."""
        return dict(self._sequences)

    def see(self, leaf: Leaf) -> None:
        """Take in the next leaf."""
        expected = self._sequences.get(leaf.account, 0) + 1
        place = f"row {leaf.sequence} of {leaf.account}"
        if leaf.index != self._tree.size:
            self._find(Fault.LEAF_MISSING, leaf, f"leaf {self._tree.size} is missing before it")
        if leaf.sequence != expected:
            self._find(Fault.REORDERED, leaf, f"{place} stands where row {expected} belongs")
        self._sequences[leaf.account] = leaf.sequence
        value = leaf.stored
        if leaf.row is None:
            self._find(Fault.MISSING, leaf, f"{place} is gone")
        else:
            value = leaf_hash(leaf.row.content())
            if value != leaf.stored:
                self._find(Fault.CHANGED, leaf, f"{place} is not what was recorded")
        self._tree.append(value)
        self._compare()

    def end(self) -> None:
        """Compare what the record's end leaves open: checkpoints that cover more than there is."""
        beyond = [known for known in self._due if known.checkpoint.size > self._tree.size]
        if beyond:
            most = max(beyond, key=lambda known: known.checkpoint.size)
            size = most.checkpoint.size
            reason = (
                f"the record has {self._tree.size} rows, and {size} were signed at "
                f"{most.at:%Y-%m-%d %H:%M:%S} UTC: rows were cut off, or an older copy was restored"
            )
            where = f"rows {self._tree.size + 1} to {size} of the record"
            self.findings.append(
                Finding(Fault.ENDS_EARLY, "", where, self._tree.size, size - 1, reason)
            )

    def _compare(self) -> None:
        while self._due and self._due[0].checkpoint.size <= self._tree.size:
            known = self._due.pop(0)
            if known.checkpoint.root != self._tree.root():
                self._disprove(known)
            elif self._first_bad is None and self._disproven is None:
                self.proven = _better(self.proven, known)

    def _disprove(self, known: KnownCheckpoint) -> None:
        if self._disproven is not None:
            return
        self._disproven = known
        first = 0 if self.proven is None else self.proven.checkpoint.size
        last = known.checkpoint.size - 1
        located = [f for f in self.findings if first <= f.first <= last]
        if located:  # the rows are named already
            return
        since = "the beginning" if self.proven is None else f"{self.proven.at:%Y-%m-%d %H:%M:%S}"
        reason = (
            f"the record is not what was signed at {known.at:%Y-%m-%d %H:%M:%S} UTC: something "
            f"between {since} and then was changed, and all hashes computed anew"
        )
        where = f"rows {first + 1} to {last + 1} of the record"
        self.findings.append(Finding(Fault.REWRITTEN, "", where, first, last, reason))

    def _find(self, fault: Fault, leaf: Leaf, reason: str) -> None:
        if self._first_bad is None:
            self._first_bad = leaf.index
        where = f"row {leaf.sequence} of {leaf.account}"
        self.findings.append(Finding(fault, leaf.account, where, leaf.index, leaf.index, reason))


def _better(present: KnownCheckpoint | None, other: KnownCheckpoint) -> KnownCheckpoint:
    if present is None or other.checkpoint.size > present.checkpoint.size:
        return other
    if other.cosigned and (not present.cosigned or other.at > present.at):
        return other
    return present
