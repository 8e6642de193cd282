"""PostgreSQL clusters as backups need them: copied while they run, started for a look, compared."""

import hashlib
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from infra.backup.errors import NotRestoredError
from infra.backup.manifest import Head
from infra.backup.server_manifest import check_files
from infra.runtime.database.client_programs import connection_words
from infra.stack import postgres_binaries
from infra.stack.postgres_binaries import Cluster

DATABASE = "aether"
START_SECONDS = 120.0
STOP_SECONDS = 60.0
Books = dict[str, tuple[int, str]]


def base_backup(url: str, target: Path) -> None:
    """Copy a running server with the write-ahead log that makes the copy whole, and check it.

    Args:
        url: the server, as a role that may replicate.
        target: a directory that is not there yet.

    Raises:
        NotRestoredError: the copy was not made, or is not what its manifest says.
    """
    words = connection_words(url)
    _run(
        "pg_basebackup",
        f"--dbname={words.dbname}",
        f"--pgdata={target}",
        "--format=plain",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--manifest-checksums=SHA256",
        "--no-password",
        "--no-sync",  # what it copies to is read once and removed
        environment=words.environment,
    )
    check_files(target)


@contextmanager
def serving(cluster: Cluster, log: Path) -> Iterator[str]:
    """Run a cluster over its Unix socket for as long as the block lasts; give its address.

    Raises:
        NotRestoredError: it does not start; the message has the last line of its log.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # fixed program, no shell
            postgres_binaries.command_line(cluster),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            **postgres_binaries.run_as(cluster),
        )
    try:
        _wait_for(cluster, process, log)
        yield cluster.url(database=DATABASE)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def heads(url: str) -> dict[str, Head]:
    """Return the ends of all audit chains."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT account_id, sequence, hash FROM audit_heads").fetchall()
    return {str(row[0]): Head(sequence=row[1], hash=row[2]) for row in rows}


def lost_heads(url: str, wanted: dict[str, Head]) -> list[str]:
    """Return the chains that do not hold the row that a head names."""
    query = "SELECT hash FROM audit_log WHERE account_id = %s AND sequence = %s"
    lost: list[str] = []
    with psycopg.connect(url) as connection:
        for chain, head in wanted.items():
            row = connection.execute(query, [chain, head.sequence]).fetchone()
            if row is None or row[0] != head.hash:
                lost.append(chain)
    return sorted(lost)


def revision(url: str) -> str:
    """Return the database's migration."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def books(url: str) -> Books:
    """Return, for every table of ours, how many rows it has and a digest of all of them."""
    found: Books = {}
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
        for (name,) in names:
            query = sql.SQL("SELECT md5(t::text) FROM {} t ORDER BY 1").format(sql.Identifier(name))
            digest, count = hashlib.sha256(), 0
            with connection.cursor(f"books_{name}") as rows:
                rows.itersize = 10_000
                for (row,) in rows.execute(query):
                    digest.update(row.encode())
                    count += 1
            found[name] = (count, digest.hexdigest())
    return found


def is_answering(url: str) -> bool:
    """Tell whether a server answers at an address."""
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def _wait_for(cluster: Cluster, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not is_answering(cluster.url()):
        if process.poll() is not None or time.monotonic() > until:
            lines = log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            raise NotRestoredError(f"PostgreSQL does not start: {lines[-1]}")
        time.sleep(0.05)


def _run(program: str, *arguments: str, environment: dict[str, str]) -> None:
    command = [str(postgres_binaries.binary_directory() / program), *arguments]
    done = subprocess.run(  # noqa: S603  # fixed programs, no shell
        command, capture_output=True, text=True, check=False, cwd="/", env=environment
    )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
        errors = [line for line in lines if "error:" in line] or lines
        raise NotRestoredError(errors[-1])
