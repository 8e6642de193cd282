"""`aether upgrade`: from the build that runs to this one, rehearsed on a copy, with a way back."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer
from sqlalchemy.engine import make_url

from cli.backup_check import chains_at_fault, verify_backup
from infra.backup.create import BackupMaker
from infra.backup.destination import store_of
from infra.backup.keys import BackupKeys
from infra.runtime.database.connections import Role
from infra.runtime.database.setup import create_database, migrate, newest_revision, runs_with
from infra.runtime.errors import ConfigurationError, PlatformError, StateError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack.builds import Build, noted_build, this_build
from infra.stack.embedded import PREPARATION_SECONDS, Stack
from infra.stack.readiness import check_all, wait_until_ready

READY_SECONDS = 180.0
LOOK_SECONDS = 2.0
MISSED_LOOKS = 5
"""Looks in a row at which something is not ready: a single one may meet a busy moment."""
EXIT_WENT_BACK = 3
MIGRATION = "migration of the copy"
GRACE_SECONDS = 30
"""How long a difference to the exchange may take to resolve itself: accounts are catching up."""


@dataclass
class Report:
    """What an upgrade did, step by step."""

    from_version: str
    to_version: str
    backup: str = ""
    from_revision: str = ""
    replayed: int = 0
    revision: str = ""
    went_back: bool = False
    why: str = ""
    steps: dict[str, float] = field(default_factory=dict)

    def step(self, name: str, began: float) -> None:
        """Note how long a step took, in seconds."""
        self.steps[name] = round(time.monotonic() - began, 1)


def upgrade(
    *,
    observe: Annotated[
        float, typer.Option(min=0, help="Seconds during which this build must stay in order.")
    ] = 60.0,
    rehearse: Annotated[
        bool, typer.Option("--rehearse", help="Try it on a copy only; change nothing.")
    ] = False,
    no_way_back: Annotated[
        bool, typer.Option("--no-way-back", help="Go on where the old build could not be started.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take the installation over from the build that runs, run from the new build's directory.

    A backup is made, restored on trial, its open histories replayed and its record migrated by
    this build. Only then the processes are exchanged; stops rest on the exchange meanwhile. Where
    this build does not stay in order, the old one is started again (exit code 3).
    """
    settings = Settings()
    if settings.database_url is not None or settings.temporal_address is not None:
        raise ConfigurationError(
            "aether upgrade is for the embedded stack; what somebody else starts is upgraded by "
            "its own means after aether backup create --verify (docs/operations.md)"
        )
    old = _old_build(StateDirectory(settings.home))
    report = Report(old.version, this_build().version)
    _rehearse(settings, report)
    if not rehearse:
        _require_way_back(old, report, accepted=no_way_back)
        _exchange(settings, old, report, observe)
    _say(report, rehearsed=rehearse, as_json=as_json)


def _old_build(state: StateDirectory) -> Build:
    if state.manifest() is None:
        raise StateError(f"there is nothing to upgrade in {state.home}: aether up")
    old = noted_build(state)
    if old is None:
        raise StateError(
            "which build runs this installation is not known, or it is gone: aether down with the "
            "old one, aether backup create --verify, then aether up"
        )
    if old.root == this_build().root:
        raise StateError(
            f"this is the build that runs already ({old.version}): run the new build's aether"
        )
    return old


def _rehearse(settings: Settings, report: Report) -> None:
    began = time.monotonic()
    store, keys = store_of(settings), BackupKeys(settings.backup_key_directory)
    _tell("Backing up …")
    made = BackupMaker(settings, store, keys, datetime.now(UTC)).make(_tell)
    report.backup, report.from_revision = made.name, made.revision
    report.step("backup", began)
    _tell("Restoring it on trial, replaying open histories, migrating the copy …")
    began = time.monotonic()
    try:
        found = verify_backup(settings, store, keys, made.name, _migrated(report))
    except PlatformError as error:
        raise StateError(f"not upgraded, nothing was changed: {error}") from None
    if "histories" in found.not_checked:
        raise StateError(
            f"not upgraded, nothing was changed: histories, {found.not_checked['histories']}"
        )
    report.replayed = found.replayed
    report.step("rehearsal", began)
    _require_time(report)


def _require_time(report: Report) -> None:
    """Refuse a migration that the start would give up, with both builds stopped by then."""
    took = report.steps.get(MIGRATION, 0.0)
    if took > PREPARATION_SECONDS:
        raise StateError(
            f"not upgraded, nothing was changed: migrating the copy took {took:.0f} s, and a start "
            f"gives up after {PREPARATION_SECONDS:.0f} s"
        )


def _migrated(report: Report) -> Callable[[str], list[str]]:
    def look(url: str) -> list[str]:
        began = time.monotonic()
        create_database(url)
        owner = make_url(url).set(username=Role.OWNER.value)
        report.revision = migrate(owner.render_as_string(hide_password=False))
        report.step(MIGRATION, began)
        return chains_at_fault(url)

    return look


def _require_way_back(old: Build, report: Report, *, accepted: bool) -> None:
    if report.from_revision in (newest_revision(), *runs_with()) or accepted:
        return
    raise StateError(
        f"the migrations to {newest_revision()} do more than add, so the old build ({old.version}) "
        "could not be started again: only the backup would lead back. Rehearsed without a fault; "
        "to go on: aether upgrade --no-way-back"
    )


def _exchange(settings: Settings, old: Build, report: Report, observe: float) -> None:
    _tell(f"Stopping {old.version} …")
    began = time.monotonic()
    stack: Stack | None = None
    try:
        stopped = old.aether("down")
        if stopped.returncode != 0:
            raise StateError(f"the old build does not stop: {_last_line(stopped)}")
        stack = Stack(settings)
        _tell(f"Starting {report.to_version} …")
        stack.start(_tell)
        lacking = wait_until_ready(
            stack.settings, stack.supervisor, READY_SECONDS, lambda _lacking: None
        )
        report.step("exchange", began)
        why = "; ".join(f"{name}: {words}" for name, words in lacking.items())
        why = why or _observed(stack, observe)
    except PlatformError as error:
        why = str(error)
    except KeyboardInterrupt:
        why = "interrupted"
    except Exception as error:  # noqa: BLE001 - whatever it is, one of the builds must run
        why = f"{type(error).__name__}: {error}"
    if why:
        _go_back(stack, old, report, why)


def _observed(stack: Stack, seconds: float) -> str:
    """Return what went wrong within some time, "" if nothing did."""
    _tell(f"Observing for {seconds:.0f} s …")
    until, missed = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        lacking = {
            name: words
            for name, words in check_all(stack.settings, stack.supervisor.processes()).items()
            if words
        }
        missed = missed + 1 if lacking else 0
        if missed >= MISSED_LOOKS:
            return "; ".join(f"{name}: {words}" for name, words in lacking.items())
        time.sleep(LOOK_SECONDS)
    return _violated(this_build().aether("verify", "--grace", str(GRACE_SECONDS), "--json"))


def _violated(verified: "subprocess.CompletedProcess[str]") -> str:
    """Return what `aether verify --json` found against the exchange, "" if nothing."""
    if verified.returncode == 0:
        return ""
    try:
        findings = json.loads(verified.stdout)["findings"]
        named = [f"{one['invariant']}: {one['account']} {one['detail']}" for one in findings]
    except (ValueError, KeyError, TypeError):
        named = []
    return f"aether verify: {'; '.join(named) or _last_line(verified)}"


def _go_back(stack: Stack | None, old: Build, report: Report, why: str) -> NoReturn:
    report.went_back, report.why = True, why
    _tell(f"Not in order: {why}. Going back to {old.version} …")
    fault = _stopped(stack)
    try:
        started = old.aether("up")
        fault = (
            "" if started.returncode == 0 else "; ".join(filter(None, (_last_line(started), fault)))
        )
    except PlatformError as error:
        fault = str(error)
    if fault:
        raise StateError(
            f"this build is not in order ({why}), and the old one does not start: {fault}. Try "
            f"aether up of {old.version}, or restore backup {report.backup}: aether backup restore"
        )
    _tell(f"{old.version} runs again; nothing was lost. Backup {report.backup} is kept.")
    raise typer.Exit(EXIT_WENT_BACK)


def _stopped(stack: Stack | None) -> str:
    """Stop what this build has started; return what went wrong: the old one is tried anyhow."""
    try:
        if stack is not None:
            stack.stop()
    except Exception as error:  # noqa: BLE001 - it must not keep the old build from starting
        return f"this build does not stop: {type(error).__name__}: {error}"
    return ""


def _say(report: Report, *, rehearsed: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    done = "Rehearsed" if rehearsed else "Upgraded"
    typer.echo(
        f"{done}: {report.from_version} to {report.to_version}, revision {report.revision}, "
        f"{report.replayed} open histories replayed, backup {report.backup}"
    )


def _last_line(done: "subprocess.CompletedProcess[str]") -> str:
    lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
    return lines[-1]


def _tell(line: str) -> None:
    typer.echo(line, err=True)
