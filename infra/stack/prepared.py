"""Whether the embedded database is as this version of the program needs it.

The mark lies inside the database's own directory, so that it goes wherever the database goes: one
that is restored from a backup, or made anew, is prepared again. Preparing what is prepared changes
nothing, but it costs a start after a crash more than a second of the five within which every
position is to be protected again.
"""

import hashlib
from pathlib import Path

from infra.runtime.files import write_atomically
from infra.stack.postgres_binaries import Cluster

ROOT = Path(__file__).parents[2]
SOURCES = (
    ROOT / "infra" / "migrations",
    ROOT / "infra" / "runtime" / "database" / "setup.py",
    ROOT / "workers" / "preparation.py",
)
MARK = "aether-prepared"


def is_prepared(cluster: Cluster) -> bool:
    """Tell whether this version of the program has prepared the database."""
    try:
        return (cluster.data / MARK).read_text() == fingerprint()
    except OSError:
        return False


def note_prepared(cluster: Cluster) -> None:
    """Remember that this version of the program has prepared the database.

    The server has to be able to read it, as another user too: a base backup copies all files. Its
    directory is closed to everybody else.
    """
    write_atomically(cluster.data / MARK, fingerprint().encode(), 0o644)


def fingerprint() -> str:
    """Return a digest of everything that says how the database is to be."""
    digest = hashlib.sha256()
    for source in SOURCES:
        for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
