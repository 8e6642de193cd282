"""What the platform's processes inherit of the shell that starts them: only what they need.

A shell's environment holds keys of other services; every process of the stack would carry them, as
does whatever such a process starts or writes when it crashes. Standard library only, and as little
as possible: this runs before everything else.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # that of typing, which takes long to load
if TYPE_CHECKING:
    from collections.abc import Mapping

PRIVATE_UMASK = 0o077
"""What a process of ours creates is its own user's, whatever the shell's habit."""

INHERITED = frozenset(
    {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "TZDIR", "LANG", "LANGUAGE",
        "MARKET", "SPEED", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
        "SSL_CERT_FILE", "SSL_CERT_DIR",
        "PYTHONPATH", "PYTHONHOME", "PYTHONHASHSEED", "PYTHONPYCACHEPREFIX", "PYTHONUTF8",
        "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT",
        "PGSSLKEY",
    }
)  # fmt: skip
"""PostgreSQL's names say where a password or certificate lies; ``PGPASSWORD`` is one itself."""

PREFIXES = ("AETHER_", "LC_")
WITHHELD = frozenset({"AETHER_TOKEN"})
"""A caller's token is for the command line alone."""


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that processes of the stack may have."""
    return {
        name: value
        for name, value in environment.items()
        if name not in WITHHELD and (name in INHERITED or name.startswith(PREFIXES))
    }


def keep_private() -> None:
    """Let nobody else read what this process and its children create from here on."""
    os.umask(PRIVATE_UMASK)
