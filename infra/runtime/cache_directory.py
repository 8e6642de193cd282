"""Where what all installations of one user share is kept: programs, and which keys are in use."""

import os
import stat
import tempfile
from pathlib import Path


def cache_directory() -> Path:
    """Return the platform's directory in the user's cache; it need not exist."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "aether"


def keys_in_use() -> Path:
    """Return the directory of the locks of exchange keys, the same for a user's installations.

    Where the user has no cache (a service's user without a home) it is under /tmp; one that
    somebody else has made there is refused.

    Raises:
        PermissionError: the directory under /tmp belongs to another user.
    """
    wanted = cache_directory() / "keys-in-use"
    try:
        wanted.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        wanted = Path(tempfile.gettempdir()) / f"aether-{os.geteuid()}-keys-in-use"
        wanted.mkdir(exist_ok=True, mode=0o700)
        found = wanted.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{wanted} belongs to another user: remove it") from None
    return wanted
