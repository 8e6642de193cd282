"""The layout of an evidence pack: which files there are and what each says.

Everything is plain data here; JSON is made canonical (RFC 8785), hashed and signed elsewhere.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models.trading.governance.record.rows import RecordedRow

FORMAT = "aether-evidence/1"
CHECKPOINT, PREVIOUS, CONSISTENCY = "checkpoint", "previous-checkpoint", "consistency.json"
MANIFEST, NOTE, RECIPE = "manifest.json", "manifest.note", "RECIPE.md"
ROWS_A_FILE = 1_000

RECIPE_TEXT = """# How to verify this pack

Nothing here has to be believed: every step is checked with public formats and foreign code.

1. Get the log's verifier key from somewhere else than this pack (`log.key`, by hand or by print).
2. `manifest.note` is a signed note (C2SP signed-note; golang.org/x/mod/sumdb/note). Its text is two
   lines: the log's name with `/evidence`, and the base64 SHA-256 of `manifest.json`, which is
   canonical JSON (RFC 8785).
3. `manifest.json` lists every file with its size and SHA-256.
4. `checkpoint` is a signed note (C2SP tlog-checkpoint): the log's name, the size of its tree and
   the root. Further signatures are of witnesses (C2SP tlog-cosignature).
5. Each line of `rows/*.jsonl` is a row: its place in the tree, the exact bytes that were hashed
   (base64), and the inclusion proof. The leaf is SHA-256(0x00 || bytes), the proof that of RFC 6962
   section 2.1.1 (github.com/transparency-dev/merkle, `proof.VerifyInclusion`).
6. With a `previous-checkpoint`, `consistency.json` proves that the log only grew since then
   (`proof.VerifyConsistency`).

The bytes of a row are its fields, each as `<length>:<field>,`: hash of the row before it in its
chain, account, number, time, actor, action, correlation, details, and where it came from.

A program that does all of it is `infra/evidence/verifier` of the source: `go run . PACK LOG_KEY`.
"""


@dataclass(frozen=True, slots=True)
class ProvenRow:
    """A row with its place in the tree and the proof that it is there."""

    index: int
    row: RecordedRow
    proof: tuple[bytes, ...]

    def document(self) -> dict[str, Any]:
        """Return the row's line."""
        return {
            "index": self.index,
            "content": _text(self.row.content()),
            "proof": [_text(one) for one in self.proof],
        }


@dataclass(frozen=True, slots=True)
class PackFile:
    """A file of a pack as the manifest lists it; ``rows`` is 0 for files without any."""

    name: str
    sha256: str
    size: int
    rows: int = 0

    @classmethod
    def of(cls, name: str, content: bytes, rows: int = 0) -> "PackFile":
        """Return the entry of a file."""
        return cls(name, hashlib.sha256(content).hexdigest(), len(content), rows)


def rows_file(number: int) -> str:
    """Return the name of a pack's file of rows, counted from 1."""
    return f"rows/{number:06}.jsonl"


def manifest(
    log: str, tree_size: int, selection: dict[str, str], files: Sequence[PackFile]
) -> dict[str, Any]:
    """Return the manifest. Counts that may be large are text: RFC 8785 has doubles only."""
    return {
        "format": FORMAT,
        "log": log,
        "tree_size": str(tree_size),
        "rows": str(sum(file.rows for file in files)),
        "selection": selection,
        "files": [
            {"name": file.name, "sha256": file.sha256, "size": file.size, "rows": file.rows}
            for file in files
        ],
    }


def manifest_statement(log: str, canonical: bytes) -> str:
    """Return the text that is signed over a canonical manifest."""
    return f"{log}/evidence\n{_text(hashlib.sha256(canonical).digest())}\n"


def consistency(proof: Sequence[bytes]) -> dict[str, Any]:
    """Return what proves the growth."""
    return {"proof": [_text(one) for one in proof]}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
