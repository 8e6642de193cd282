"""Where an installation's backups go: a directory, or a bucket."""

from infra.backup.s3 import S3Store
from infra.backup.stores import DirectoryStore, ObjectStore
from infra.runtime.settings import Settings


def store_of(settings: Settings) -> ObjectStore:
    """Return the place that the settings name."""
    if settings.backup_s3 is None:
        return DirectoryStore(settings.backups)
    return S3Store(settings.backup_s3, settings.backup_s3_endpoint, settings.backup_s3_credentials)
