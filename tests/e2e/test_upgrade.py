"""One build takes over from another while trades are open, and goes back where it must."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from infra.runtime.database.setup import newest_revision
from infra.stack.postgres_binaries import embedded_cluster
from tests.support.free_ports import free_block
from tests.support.own_stack import OwnStack, own_home, wait_until
from tests.support.prometheus import ROOT

pytestmark = [pytest.mark.stack, pytest.mark.alone, pytest.mark.timeout(1500)]

PACKAGES = ("activities", "api", "cli", "infra", "models", "workers", "workflows")
MIGRATION = '''"""Of a newer build.

Revision ID: {name}
Revises: {before}
"""

from alembic import op

revision = "{name}"
down_revision = "{before}"
branch_labels = None
depends_on = None
expand_only = {expand_only}


def upgrade() -> None:
    op.execute("{statement}")
'''
WENT_BACK = 3
COMMAND_SECONDS = 900


def another_build(place: Path, of: Path = ROOT) -> Path:
    """Copy a build; what is changed in the copy is a newer one."""
    for package in PACKAGES:
        shutil.copytree(of / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("ui", "pyproject.toml"):
        (place / name).symlink_to(ROOT / name)
    return place


def migrate_in(build: Path, name: str, before: str, statement: str, *, expand_only: bool) -> None:
    content = MIGRATION.format(
        name=name, before=before, statement=statement, expand_only=expand_only
    )
    (build / "infra" / "migrations" / "versions" / f"{name}.py").write_text(content)


class BuiltStack(OwnStack):
    """An installation as one build's command line sees it."""

    def by(self, build: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of a build."""
        return subprocess.run(
            [sys.executable, "-m", "cli.entry", *words],
            cwd=build,
            env=self.environment | {"PYTHONPATH": str(build)},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def revision(self) -> str:
        with psycopg.connect(embedded_cluster(self.home).url(database="aether")) as connection:
            return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])

    def runs(self) -> str:
        """Return the directory of the build whose processes run."""
        return str(json.loads((self.home / "run" / "build.json").read_bytes())["root"])


@pytest.fixture(scope="module")
def stack():
    with own_home() as home:
        built = BuiltStack(home, free_block(), MARKET="generated", SPEED="10")
        try:
            up = built.by(ROOT, "up")
            assert up.returncode == 0, up.stderr
            wait_until(lambda: built.trades("company"), "a trade", 300)
            yield built
        finally:
            built.by(ROOT, "down")


def test_a_newer_build_takes_over_with_trades_open_and_a_broken_one_goes_back(stack, tmp_path):
    newer = another_build(tmp_path / "newer")
    migrate_in(newer, "9001_wider", newest_revision(), "CREATE TABLE wider ()", expand_only=True)
    before = {trade["number"] for trade in stack.trades("company")}

    rehearsed = stack.by(newer, "upgrade", "--rehearse", "--json")
    assert rehearsed.returncode == 0, rehearsed.stderr
    report = json.loads(rehearsed.stdout)
    assert report["replayed"] >= 3, report
    assert report["revision"] == "9001_wider"
    assert (stack.runs(), stack.revision()) == (str(ROOT), newest_revision())

    # A build that does not come up: the old one runs again, on the wider tables.
    broken = another_build(tmp_path / "broken", newer)
    (broken / "workers" / "market.py").write_text("raise SystemExit(2)\n")
    failed = stack.by(broken, "upgrade", "--observe", "5")
    assert failed.returncode == WENT_BACK, failed.stderr
    assert "Going back" in failed.stderr
    assert (stack.runs(), stack.revision()) == (str(ROOT), "9001_wider")
    assert before <= {trade["number"] for trade in stack.trades("company")}

    done = stack.by(newer, "upgrade", "--observe", "10", "--json")
    assert done.returncode == 0, done.stderr
    assert not json.loads(done.stdout)["went_back"]
    assert (stack.runs(), stack.revision()) == (str(newer), "9001_wider")
    assert before <= {trade["number"] for trade in stack.trades("company")}
    verified = stack.by(newer, "verify")
    assert verified.returncode == 0, verified.stdout

    # From which there is no way back is not gone to by chance.
    narrower = another_build(tmp_path / "narrower", newer)
    migrate_in(narrower, "9002_narrower", "9001_wider", "DROP TABLE wider", expand_only=False)
    refused = stack.by(narrower, "upgrade")
    assert refused.returncode == 2, refused.stderr
    assert "--no-way-back" in refused.stderr
    assert (stack.runs(), stack.revision()) == (str(newer), "9001_wider")
    assert stack.by(newer, "down").returncode == 0


def test_a_build_that_decides_otherwise_is_refused_before_anything_changes(stack, tmp_path):
    assert stack.by(ROOT, "up").returncode == 0
    wait_until(lambda: stack.trades("company"), "it is back", 120)
    other = another_build(tmp_path / "other")
    workflow = other / "workflows" / "account" / "workflow.py"
    text = workflow.read_text()
    head, mark, tail = text.partition("@workflow.run\n")
    signature, colon, body = tail.partition(":\n")
    assert body
    # The docstring becomes a statement of its own, which does no harm.
    first = "        await workflow.sleep(0.001)\n"
    workflow.write_text(f"{head}{mark}{signature}{colon}{first}{body}")
    refused = stack.by(other, "upgrade")
    assert refused.returncode == 2, refused.stderr + refused.stdout
    assert "does not replay" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert stack.runs() == str(ROOT)
