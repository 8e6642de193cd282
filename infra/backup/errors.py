"""What can be wrong with a backup; each message names what and where.

BackupError
├── DamagedBackupError   a chunk or the manifest is missing, altered, or in another one's place
├── WrongKeyError        the key at hand is not the one that the backup was made with
└── NotRestoredError     a restore cannot be begun, or what it brought back is not what was kept
"""

from infra.runtime.errors import PlatformError


class BackupError(PlatformError):
    """Base of what goes wrong with backups."""


class DamagedBackupError(BackupError):
    """A part of a backup is missing, was altered, or stands in the place of another."""


class WrongKeyError(BackupError):
    """A backup was made with another key."""


class NotRestoredError(BackupError):
    """A restore was refused, or brought back something else than was kept."""
