"""Messages of the workflow that backs the installation up."""

from dataclasses import dataclass
from typing import Final

BACKUP_QUEUE: Final = "backups"
BACKUP_WORKFLOW: Final = "BackupWorkflow"
BACKUP_ID: Final = "backup"
"""Of the schedule, and the beginning of its runs' ids."""


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """Make a backup and verify it."""

    reason: str


@dataclass(frozen=True, slots=True)
class BackupDone:
    """The name of a backup that was made, restored on trial, and found to be what it says."""

    backup: str
