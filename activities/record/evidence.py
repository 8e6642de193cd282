"""Writes an evidence pack, file by file: whoever is interrupted goes on where they stopped."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from activities.ports.record import (
    EvidenceSource,
    PackTarget,
    Selection,
    StatementSigner,
)
from models.trading.governance.record.checkpoints import Checkpoint, checkpoint_of, note_of
from models.trading.governance.record.evidence import (
    CHECKPOINT,
    CONSISTENCY,
    MANIFEST,
    NOTE,
    PREVIOUS,
    RECIPE,
    RECIPE_TEXT,
    ROWS_A_FILE,
    PackFile,
    consistency,
    manifest,
    manifest_statement,
    rows_file,
)

SELECTION = "selection.json"

Canonical = Callable[[Any], bytes]
"""Makes JSON canonical (RFC 8785)."""


class PackRefusedError(Exception):
    """A pack cannot be made, or what is at its place is another one."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that is complete."""

    rows: int
    files: int
    tree_size: int
    resumed: bool


class EvidenceExporter:
    """Writes packs of one log.

    Args:
        source: reads rows, proofs and checkpoints.
        signer: signs the manifest.
        canonical: makes JSON canonical.
        log_key: the log's verifier key, for convenience only: who verifies gets it elsewhere.
    """

    def __init__(
        self, source: EvidenceSource, signer: StatementSigner, canonical: Canonical, log_key: str
    ) -> None:
        self._source = source
        self._signer = signer
        self._canonical = canonical
        self._log_key = log_key

    async def export(
        self, target: PackTarget, selection: Selection, previous: str | None = None
    ) -> Pack:
        """Write a pack, or what is missing of one that was begun with the same selection.

        Args:
            target: where it goes.
            selection: which rows.
            previous: a checkpoint from before, from which the growth is proven.

        Raises:
            PackRefusedError: nothing was signed yet, or another pack is there.
            OSError: something cannot be written; repeating it goes on.
        """
        chosen = self._canonical(_document(selection, previous))
        known = await target.read(SELECTION)
        if known is not None and known != chosen:
            raise PackRefusedError("another pack was begun there: choose an empty place")
        note = await self._checkpoint(target)
        checkpoint = checkpoint_of(note_of(note).text)
        if known is None:
            await target.write(SELECTION, chosen)
        files = [
            PackFile.of(SELECTION, chosen),
            PackFile.of(CHECKPOINT, note.encode()),
            await self._put(target, "log.key", self._log_key.encode()),
            await self._put(target, RECIPE, RECIPE_TEXT.encode()),
        ]
        if previous is not None:
            files += await self._growth(target, previous, checkpoint)
        files += await self._rows(target, selection, checkpoint.size)
        content = self._canonical(
            manifest(checkpoint.origin, checkpoint.size, json.loads(chosen), files)
        )
        await target.write(MANIFEST, content)
        # Last: a pack without it is not complete.
        statement = manifest_statement(checkpoint.origin, content)
        await target.write(NOTE, self._signer.signed_statement(statement).encode())
        rows = sum(file.rows for file in files)
        return Pack(rows, len(files) + 2, checkpoint.size, resumed=known is not None)

    async def _checkpoint(self, target: PackTarget) -> str:
        """Return the checkpoint that the pack was begun with, else the newest."""
        begun = await target.read(CHECKPOINT)
        if begun is not None:
            return begun.decode()
        newest = await self._source.newest_checkpoint()
        if newest is None or newest.size == 0:
            raise PackRefusedError("no checkpoint of the record was signed yet")
        await target.write(CHECKPOINT, newest.note.encode())
        return newest.note

    async def _growth(
        self, target: PackTarget, previous: str, checkpoint: Checkpoint
    ) -> list[PackFile]:
        before = checkpoint_of(note_of(previous).text)
        if before.origin != checkpoint.origin or not 0 < before.size <= checkpoint.size:
            raise PackRefusedError("the earlier checkpoint is not one of this log's past")
        proof = await self._source.consistency(before.size, checkpoint.size)
        return [
            await self._put(target, PREVIOUS, previous.encode()),
            await self._put(target, CONSISTENCY, self._canonical(consistency(proof))),
        ]

    async def _rows(self, target: PackTarget, selection: Selection, size: int) -> list[PackFile]:
        files: list[PackFile] = []
        after = selection.first - 1
        while True:
            name = rows_file(len(files) + 1)
            content = await target.read(name)
            if content is None:
                found = await self._source.proven_rows(selection, after, size, ROWS_A_FILE)
                if not found:
                    return files
                lines = [self._canonical(one.document()) + b"\n" for one in found]
                content = b"".join(lines)
                await target.write(name, content)
            lines = content.splitlines()
            files.append(PackFile.of(name, content, len(lines)))
            after = int(json.loads(lines[-1])["index"])
            if len(lines) < ROWS_A_FILE:
                return files

    async def _put(self, target: PackTarget, name: str, content: bytes) -> PackFile:
        await target.write(name, content)
        return PackFile.of(name, content)


def _document(selection: Selection, previous: str | None) -> dict[str, str]:
    return {
        "account": selection.account or "",
        "since": selection.since.isoformat() if selection.since else "",
        "until": selection.until.isoformat() if selection.until else "",
        "first": str(selection.first),
        "previous": previous or "",
    }
