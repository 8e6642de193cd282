"""The bearer token of the exchange simulator's control endpoint.

It is made at first start and lies in a file of its own, readable by this user only. On Linux a
process of the same user needs none: the simulator asks the kernel who is at the other end.
"""

import secrets
from pathlib import Path

from infra.runtime.files import write_atomically
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory


def control_token(path: Path) -> str:
    """Return the token in a file, made and written where there is none; mode 600 either way."""
    try:
        token = path.read_text().strip()
        path.chmod(0o600)
    except FileNotFoundError:
        token = ""
    if not token:
        token = secrets.token_urlsafe(32)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, token.encode(), 0o600)
    return token


def control_headers(settings: Settings) -> dict[str, str]:
    """Return the headers with which our own processes call the control endpoint.

    Empty where the installation has no token (yet): the caller's user then decides.
    """
    try:
        token = StateDirectory(settings.home).control_token.read_text().strip()
    except OSError:
        return {}
    return {"Authorization": f"Bearer {token}"} if token else {}
