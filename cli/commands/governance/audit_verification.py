"""`aether audit verify`: what it reads, and how it says what it found."""

import json
from pathlib import Path
from typing import Any

from activities.adapters.postgres.record.verification import (
    CheckpointRefusedError,
    RecordReport,
    shown_checkpoints,
    verify_record,
)
from cli.output.records import database_of
from infra.runtime.database.connections import Role
from infra.runtime.errors import ConfigurationError
from infra.runtime.note_keys import verifier_of
from infra.runtime.record_keys import record_verifiers
from infra.runtime.settings import Settings


async def verified(
    settings: Settings, files: list[Path], keys: list[Path]
) -> tuple[RecordReport, list[str]]:
    """Verify the record; return the report and where the checkpoints came from.

    Without files the witness's own memory is asked, as far as it can be reached from here.
    """
    verifiers = [verifier_of(key.read_text()) for key in keys] or record_verifiers(settings)
    memory = [settings.witness / name for name in ("checkpoints.jsonl", "checkpoint")]
    used = files or [file for file in memory if file.exists()]
    notes = [note for file in used for note in notes_of(file)]
    try:
        shown = shown_checkpoints(notes, verifiers)
    except CheckpointRefusedError as error:
        raise ConfigurationError(str(error)) from None
    async with database_of(settings, "aether-audit", Role.RECORDER) as database:
        report = await verify_record(database, verifiers, shown)
    return report, [str(file) for file in used]


def document(report: RecordReport, used: list[str]) -> dict[str, Any]:
    """Return a report as JSON."""
    proven = report.proven
    return {
        "intact": report.intact,
        "rows": report.rows,
        "rows_in_tree": report.in_tree,
        "rows_not_protected_yet": report.unprotected,
        "checkpoints": used,
        "proven": None
        if proven is None
        else {
            "rows": proven.checkpoint.size,
            "at": proven.at.isoformat(),
            "cosigned": proven.cosigned,
        },
        "findings": [
            {"fault": f.fault.value, "where": f.where, "account": f.account, "reason": f.reason}
            for f in report.findings
        ],
        "chains": [
            {"chain": c.account, "rows": c.rows, "broken_at": c.broken_at, "reason": c.reason}
            for c in report.chains
        ],
    }


def lines(report: RecordReport, used: list[str]) -> list[str]:
    """Return a report in words."""
    said = []
    for chain in report.chains:
        state = "intact" if chain.intact else f"BROKEN at {chain.broken_at}: {chain.reason}"
        said.append(f"{chain.account}: {chain.rows} rows, {state}")
    said += [f"FOUND {f.fault.value}: {f.where}: {f.reason}" for f in report.findings]
    proven = report.proven
    if proven is None:
        said.append("proven: nothing, no checkpoint agrees with the record")
    else:
        by = "cosigned" if proven.cosigned else "signed, by no witness,"
        said.append(f"proven: {proven.checkpoint.size} rows, {by} at {proven.at:%F %T} UTC")
    said.append(f"not protected yet: {report.unprotected} rows after the last cosigned checkpoint")
    if not used:
        said.append("no checkpoint from outside the database was shown: --checkpoint FILE")
    return said


def notes_of(file: Path) -> list[str]:
    """Return the checkpoints of a file: one note, or one in each line as the witness keeps them.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        content = file.read_text()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from None
    if not content.startswith("{"):
        return [content]
    try:
        return [str(json.loads(line)["note"]) for line in content.splitlines()]
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{file} holds no checkpoints") from None
