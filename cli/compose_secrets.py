"""The passwords of one host in containers: made at random, never printed, never a default."""

import secrets
from pathlib import Path

from infra.runtime.database.connections import DATABASE, Role
from infra.runtime.errors import StateError
from infra.runtime.files import write_atomically

ENVIRONMENT = ".env"
PASSWORDS = ".pgpass"  # a file's name
ALERTS = ".alertmanager-token"
"""Of a person's making, once people can sign in: empty until then, for compose wants the file."""
ROLES = (*(role.value for role in Role), "aether_backup")
SERVERS = ("POSTGRES_PASSWORD", "TEMPORAL_POSTGRES_PASSWORD", "GRAFANA_PASSWORD")
PORT = 5432


def variable(role: str) -> str:
    """Return the variable that holds a role's password."""
    return f"{role.upper()}_PASSWORD"


def write_secrets(directory: Path, host_name: str) -> list[Path]:
    """Write what ``temporal-compose.yml`` reads, for its owner only.

    ``.env`` and ``.pgpass`` with passwords, and where there is none an empty file for the token by
    which Alertmanager posts.

    Raises:
        StateError: one of them is there: its passwords are those of the databases already.
    """
    paths = [directory / ENVIRONMENT, directory / PASSWORDS]
    if there := [str(path) for path in paths if path.exists()]:
        raise StateError(
            f"{', '.join(there)} exists, and the databases know its passwords: nothing was changed"
        )
    passwords = {role: secrets.token_urlsafe(32) for role in ROLES}
    values = {name: secrets.token_urlsafe(32) for name in SERVERS}
    values |= {variable(role): password for role, password in passwords.items()}
    values["AETHER_HOST_NAME"] = host_name
    lines = [f"{name}={value}\n" for name, value in values.items()]
    hosts = ("127.0.0.1", "localhost")
    logins = [
        f"{host}:{PORT}:{database}:{role}:{password}\n"
        for host in hosts
        for role, password in passwords.items()
        for database in (DATABASE, *(["replication"] if role == "aether_backup" else []))
    ]
    for path, content in zip(paths, (lines, logins), strict=True):
        write_atomically(path, "".join(content).encode(), 0o600)
    token = directory / ALERTS
    if not token.exists():
        write_atomically(token, b"", 0o600)
    return [*paths, token]
