"""Who may speak with Temporal: the certificates of one installation, and where none are asked for.

Our build of the server (``infra/temporal``) lets in whoever shows the client certificate. The
authority that signs it is made for that moment and its key is kept nowhere, so no further
certificate can be made. An official Temporal program knows no certificates: whoever reaches its
ports may read and end workflows. What he sends is refused by the codec nevertheless.
"""

import os
import secrets
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from infra.runtime.errors import StateError
from infra.runtime.files import write_atomically
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory

if TYPE_CHECKING:
    from temporalio.service import TLSConfig

log = structlog.get_logger(__name__)

SERVER_NAME = "127.0.0.1"
LIFETIME = timedelta(days=3650)
PASSWORD_BYTES = 24
AUTHORITY, PASSWORD = "authority.pem", "ui-password"
CLIENT, CLIENT_KEY, SERVER, SERVER_KEY = "client.pem", "client.key", "server.pem", "server.key"
FILES = (AUTHORITY, CLIENT, CLIENT_KEY, SERVER, SERVER_KEY, PASSWORD)

OPEN_TEMPORAL = (
    "workflows: this Temporal program asks for no credentials, so every user of this machine can "
    "read and end workflows (what they send is refused); install Go and leave AETHER_TEMPORAL_CLI "
    "out for one that does"
)
OPEN_EXTERNAL = (
    "workflows: Temporal at AETHER_TEMPORAL_ADDRESS is used without a client certificate; set "
    "AETHER_TEMPORAL_CREDENTIALS"
)


def credentials_directory(state: StateDirectory) -> Path:
    """Return the directory of the certificates, keys and the web UI's password."""
    return state.secrets / "temporal"


def ensure_credentials(directory: Path) -> None:
    """Make the credentials if there are none; all of them or none at all.

    Raises:
        StateError: some of the files are missing.
    """
    missing = [name for name in FILES if not (directory / name).exists()]
    if not missing:
        return
    if directory.exists() and len(missing) < len(FILES):
        raise StateError(
            f"{directory} lacks {', '.join(missing)}: make all of them anew with "
            "aether admin rotate-temporal"
        )
    _make(directory)


def rotate_credentials(directory: Path) -> None:
    """Make new credentials; the old ones are worth nothing to a server that starts from now on."""
    for name in FILES:
        (directory / name).unlink(missing_ok=True)
    _make(directory)


def note_open(state: StateDirectory, *, is_open: bool) -> None:
    """Note whether the embedded server that is about to start asks for no credentials.

    Without the note clients insist on certificates: nothing that fails makes them do without.
    """
    if is_open:
        write_atomically(_note(state), OPEN_TEMPORAL.encode(), 0o600)
    else:
        _note(state).unlink(missing_ok=True)


def open_access(settings: Settings) -> str:
    """Return in words why whoever reaches Temporal is let in, "" if credentials are needed."""
    if settings.temporal_address is not None:
        return "" if settings.temporal_credentials else OPEN_EXTERNAL
    return OPEN_TEMPORAL if _note(StateDirectory(settings.home)).exists() else ""


def client_tls(settings: Settings) -> "TLSConfig | None":
    """Return what a client shows and whom it trusts; None where Temporal knows no credentials.

    Raises:
        StateError: credentials are needed and cannot be read.
    """
    if why := open_access(settings):
        log.warning("Temporal asks for no credentials", why=why)
        return None
    if settings.temporal_address is not None and settings.temporal_credentials is not None:
        return read_client_tls(settings.temporal_credentials)
    return read_client_tls(credentials_directory(StateDirectory(settings.home)))


def read_client_tls(directory: Path) -> "TLSConfig":
    """Return what a client shows and whom it trusts, from a directory of credentials.

    Raises:
        StateError: they cannot be read.
    """
    from temporalio.service import TLSConfig

    try:
        return TLSConfig(
            server_root_ca_cert=(directory / AUTHORITY).read_bytes(),
            client_cert=(directory / CLIENT).read_bytes(),
            client_private_key=(directory / CLIENT_KEY).read_bytes(),
        )
    except OSError as error:
        raise StateError(f"the credentials for Temporal cannot be read: {error}") from None


def certificate_ends(settings: Settings) -> dict[str, datetime | None]:
    """Return when each certificate of the installation ends that clients of Temporal go by.

    None for one that cannot be read; none at all where Temporal asks for no credentials.
    """
    if open_access(settings):
        return {}
    names = [AUTHORITY, CLIENT]
    if settings.temporal_address is not None and settings.temporal_credentials is not None:
        directory = settings.temporal_credentials
    else:
        directory = credentials_directory(StateDirectory(settings.home))
        names.append(SERVER)
    return {Path(name).stem: _end_of(directory / name) for name in names}


def _end_of(file: Path) -> datetime | None:
    # Not at the top: only one process asks.
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        log.warning("a certificate cannot be read", file=file.name, error=str(error))
        return None


def ui_password(directory: Path) -> str:
    """Return the password of Temporal's web UI.

    Raises:
        StateError: there is none yet.
    """
    try:
        return (directory / PASSWORD).read_text().strip()
    except OSError:
        raise StateError("there is no password yet: start the platform once, aether up") from None


def _note(state: StateDirectory) -> Path:
    return state.run / "temporal-is-open"


def _make(directory: Path) -> None:
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as made:
        for name, content in _contents().items():
            write_atomically(Path(made) / name, content, 0o600)
        directory.mkdir(mode=0o700, exist_ok=True)
        # The password last: only with it are they complete.
        for name in FILES:
            os.replace(Path(made) / name, directory / name)  # noqa: PTH105 like the others


def _contents() -> dict[str, bytes]:
    # Not at the top: needed once in the life of an installation, and slow to load.
    from infra.runtime.certificates import Authority

    authority = Authority("Aether Temporal authority", LIFETIME)
    client, client_key = authority.client("Aether Temporal client")
    server, server_key = authority.server("Aether Temporal server", SERVER_NAME)
    return {
        AUTHORITY: authority.certificate,
        CLIENT: client,
        CLIENT_KEY: client_key,
        SERVER: server,
        SERVER_KEY: server_key,
        PASSWORD: secrets.token_urlsafe(PASSWORD_BYTES).encode() + b"\n",
    }
