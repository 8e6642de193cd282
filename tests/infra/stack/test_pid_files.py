"""PostgreSQL starts after a killed one that nobody waited for, and never beside a living one."""

import os
import subprocess
import sys

import psycopg
import pytest

from infra.stack import postgres_binaries
from infra.stack.programs.supervision import Program
from tests.support.own_stack import own_home, wait_until

PATIENCE_SECONDS = 20
REFUSAL = "Is another postmaster"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zombies are told by /proc")


@pytest.fixture
def cluster():
    with own_home() as home:
        found = postgres_binaries.embedded_cluster(home)
        postgres_binaries.prepare(found)
        yield found


@pytest.fixture
def first(cluster, tmp_path):
    """A server that nobody waits for until the test is over."""
    command, identity = postgres_binaries.command_line(cluster), postgres_binaries.run_as(cluster)
    with (tmp_path / "first.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **identity)
    wait_until(lambda: answers(cluster), "the first answers", PATIENCE_SECONDS)
    yield process
    process.kill()
    process.wait()


def answers(cluster) -> bool:
    try:
        with psycopg.connect(cluster.url(), connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_a_dead_postmaster_that_nobody_waited_for_holds_up_no_start_a_living_one_does(
    cluster, first, supervisor, tmp_path
):
    identity = postgres_binaries.run_as(cluster)
    program = Program(
        "postgres",
        postgres_binaries.command_line(cluster),
        priority=10,
        stop_signal="INT",
        may_refuse=False,
        user=(identity["user"], identity["group"]) if identity else None,
        pid_files=postgres_binaries.pid_files(cluster),
    )
    supervisor.configure([program])
    supervisor.start(os.environ)
    said = tmp_path / "logs" / "postgres.log"
    wait_until(lambda: said.exists() and REFUSAL in said.read_text(), "a refusal", PATIENCE_SECONDS)
    assert f"(PID {first.pid})" in said.read_text()
    first.kill()  # and leave it unwaited for: its number stays in use
    wait_until(lambda: answers(cluster), "the second answers", PATIENCE_SECONDS)
    own = int(postgres_binaries.pid_files(cluster)[0].read_text().split()[0])
    assert own != first.pid
    assert first.returncode is None
