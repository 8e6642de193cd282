"""Where what all installations of one user share is kept: programs, and which keys are in use."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """Return the platform's directory in the user's cache; it need not exist."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "aether"
