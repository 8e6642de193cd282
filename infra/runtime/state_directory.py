"""The directory of everything that one installation keeps: what is where, and whether it is usable.

Nothing here ever deletes state.
"""

import hashlib
import json
import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from infra.runtime.errors import StateError
from infra.runtime.files import write_atomically

FORMAT = 1
# sun_path holds 108 bytes on Linux and 104 on others, with the terminating zero.
SOCKET_PATH_BYTES = 103
# supervisord binds a name ending in its process id first.
LONGEST_SOCKET_NAME = "supervisor.sock.4194304"


class Manifest(BaseModel):
    """What an installation is bound to, and how it was last run.

    Attributes:
        format: layout of the directory; a newer one is refused.
        market: the market that accounts and positions belong to.
        speed: market time per wall time of the last run.
        port_base: first port of the last run, so that other commands find it.
        postgres_major: major version of PostgreSQL that wrote the database.
        created_at: when the installation began.
        place: digest of machine and directory (``machine.place_of``), "" until the next start.
    """

    format: int = FORMAT
    market: str
    speed: str
    port_base: int
    postgres_major: int
    created_at: datetime
    place: str = ""


@dataclass(frozen=True, slots=True)
class StateDirectory:
    """Paths under ``AETHER_HOME``."""

    home: Path

    @property
    def manifest_file(self) -> Path:
        """Return the file that says what this installation is bound to."""
        return self.home / "installation.json"

    @property
    def postgres(self) -> Path:
        """Return the directory of PostgreSQL's data and sockets."""
        return self.home / "postgres"

    @property
    def temporal_database(self) -> Path:
        """Return Temporal's SQLite file."""
        return self.home / "temporal" / "temporal.sqlite"

    @property
    def secrets(self) -> Path:
        """Return the directory of the encrypted secrets."""
        return self.home / "secrets"

    @property
    def record(self) -> Path:
        """Return the directory of the key that verifies the record's checkpoints."""
        return self.home / "record"

    @property
    def registry(self) -> Path:
        """Return the directory of the models' files and of the key that verifies them."""
        return self.home / "registry"

    @property
    def registry_token(self) -> Path:
        """Return the file of the bearer token of the registry of models."""
        return self.secrets / "registry-token"

    @property
    def control_token(self) -> Path:
        """Return the file of the bearer token of the exchange simulator's control endpoint."""
        return self.secrets / "control-token"

    @property
    def exchange(self) -> Path:
        """Return the directory of the exchange simulator."""
        return self.home / "exchange"

    @property
    def exchange_accounts(self) -> Path:
        """Return the file of the keys that the exchange simulator knows."""
        return self.exchange / "accounts.json"

    @property
    def prepared(self) -> Path:
        """Return the file whose presence lets the workers start."""
        return self.run / "prepared"

    @property
    def logs(self) -> Path:
        """Return the directory of the processes' logs."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Return the directory of what describes the running stack."""
        return self.home / "run"

    @property
    def binaries(self) -> Path:
        """Return the directory of programs fetched or built for this installation."""
        return self.home / "bin"

    @property
    def sockets(self) -> Path:
        """Return the directory of the supervisor's socket: ``run``, or one with a short path.

        The short one depends on the home only, so that every process finds the same.
        """
        if len(os.fsencode(self.run / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES:
            return self.run
        name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path("/tmp") / f"aether-{os.getuid()}-{name}"  # noqa: S108 ownership is checked

    def create(self) -> None:
        """Make the directories that are missing, private to this user.

        Raises:
            StateError: the home is a file, is not writable, or belongs to someone else.
        """
        if any(mark in str(self.home) for mark in (" ;", " #", "\n")):
            raise StateError(f"the path {self.home} cannot be written into supervisord's settings")
        try:
            for directory in (self.home, self.logs, self.run, self.exchange, self.sockets):
                directory.mkdir(parents=True, exist_ok=True)
            self.temporal_database.parent.mkdir(exist_ok=True)
            self._close()
        except OSError as error:
            raise StateError(
                f"the state directory {self.home} cannot be used: {error.strerror} "
                f"({error.filename}). Choose another with AETHER_HOME"
            ) from None
        owner = self.sockets.lstat()
        if self.sockets.is_symlink() or owner.st_uid != os.getuid():
            raise StateError(f"{self.sockets} belongs to another user: remove it, then try again")

    def _close(self) -> None:
        """Take from other users what an earlier version or another umask left them.

        Of PostgreSQL's directory the owner is whom the server runs as; it closes its own. To get
        there that user may pass through the home, where the platform runs as root.
        """
        passing = stat.S_IXGRP | stat.S_IXOTH if os.geteuid() == 0 else 0
        self.home.chmod(stat.S_IMODE(self.home.stat().st_mode) & (stat.S_IRWXU | passing))
        close = [path for path in self.home.iterdir() if path not in (self.postgres, self.binaries)]
        for path in (*close, self.sockets):
            inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else ()
            for one in (path, *inside):
                mode = one.lstat().st_mode
                if not stat.S_ISLNK(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
                    one.chmod(stat.S_IMODE(mode) & stat.S_IRWXU)

    def manifest(self) -> Manifest | None:
        """Return what this installation is bound to, None before its first start.

        Raises:
            StateError: the file is damaged, or written by a newer version.
        """
        try:
            content = self.manifest_file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        try:
            found = json.loads(content).get("format")
            if isinstance(found, int) and found > FORMAT:
                raise StateError(
                    f"{self.home} was written by a newer version of Aether (format {found}, this "
                    f"one knows {FORMAT}): update Aether, or choose another AETHER_HOME"
                )
            return Manifest.model_validate_json(content)
        except (ValidationError, ValueError, AttributeError):
            raise StateError(
                f"{self.manifest_file} is damaged. Restore it from a backup, or move the whole "
                "state aside and start afresh: aether admin reset"
            ) from None

    def save_manifest(self, manifest: Manifest) -> None:
        """Write what this installation is bound to."""
        write_atomically(self.manifest_file, manifest.model_dump_json(indent=2).encode())

    def move_aside(self) -> Path:
        """Rename the home, so that the next start begins afresh; return where it is now."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        target = self.home.with_name(f"{self.home.name}-set-aside-{stamp}")
        self.home.rename(target)
        return target
