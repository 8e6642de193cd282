"""Where an installation belongs: this machine, and this directory on it."""

import hashlib
import os
from pathlib import Path

MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def place_of(home: Path) -> str:
    """Return a digest of the machine's id and the directory, by which a copy is known.

    A machine without an id (some containers) counts as one with an empty one.
    """
    content = b"%b\0%b" % (_machine_id(), os.fsencode(home.resolve()))
    return hashlib.sha256(content).hexdigest()


def _machine_id() -> bytes:
    for path in MACHINE_ID_FILES:
        try:
            return path.read_bytes().strip()
        except OSError:
            continue
    return b""
