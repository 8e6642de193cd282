"""Which backup was verified last, noted where the platform's processes can read it."""

import json
from datetime import datetime
from math import inf
from pathlib import Path

from infra.runtime.files import write_atomically
from infra.runtime.state_directory import StateDirectory

FILE = "backup-verified.json"


def note_verified(home: Path, name: str, taken_at: datetime, verified_at: datetime) -> None:
    """Remember a verified backup of an installation; an older one does not replace a newer one."""
    directory = StateDirectory(home).run
    if not directory.is_dir():
        return  # verified on a machine without the installation
    if _taken_at(directory / FILE) is not None and age(home, taken_at) < 0:
        return
    note = {
        "backup": name,
        "taken_at": taken_at.isoformat(),
        "verified_at": verified_at.isoformat(),
    }
    write_atomically(directory / FILE, json.dumps(note).encode(), 0o600)


def age(home: Path, now: datetime) -> float:
    """Return how many seconds ago the newest verified backup was taken; infinity without one."""
    taken = _taken_at(StateDirectory(home).run / FILE)
    return inf if taken is None else (now - taken).total_seconds()


def _taken_at(path: Path) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(path.read_bytes())["taken_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
