"""`aether backup`: make, list, verify and restore copies of an installation."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli.backup_check import chains_at_fault, verify_backup
from infra.backup import manifest as manifests
from infra.backup.create import BackupMaker, keep_newest, replication_url
from infra.backup.destination import store_of
from infra.backup.errors import BackupError
from infra.backup.follow import LogKeeper, receiving
from infra.backup.keys import BackupKeys
from infra.backup.restore import Restorer
from infra.backup.stores import ObjectStore
from infra.runtime.errors import StateError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from infra.stack.machine import place_of

app = typer.Typer(help="Copies of the installation, encrypted.", no_args_is_help=True)

SPOOL = ".log-spool"
"""Of the log as it is received: not encrypted, removed piece by piece."""

Name = Annotated[str, typer.Argument(help="A backup, as `aether backup list` names it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    *,
    verified: Annotated[bool, typer.Option("--verify", help="Verify it at once.")] = False,
    as_json: Json = False,
) -> None:
    """Back the installation up, running or not; the oldest ones go (AETHER_BACKUP_KEEP)."""
    settings, store, keys = _places()
    with _alone(settings):
        maker = BackupMaker(settings, store, keys, datetime.now(UTC))
        found = maker.make(_tell)
        if verified:
            verify_backup(settings, store, keys, found.name)
        gone = keep_newest(store, keys, settings.backup_keep)
    for part, why in found.left_out.items():
        _tell(f"Left out: {part}, {why}")
    if gone:
        _tell(f"Removed: {', '.join(gone)}")
    typer.echo(json.dumps({"backup": found.name}) if as_json else found.name)


@app.command()
def follow(
    every: Annotated[float, typer.Option(min=1, help="Seconds between rounds.")] = 20.0,
    *,
    renew: Annotated[float, typer.Option(min=1, help="Hours between base backups.")] = 6.0,
) -> None:
    """Go on keeping the write-ahead log until stopped, from a backup of its own: bounds the loss.

    Where the server goes away this ends with exit code 2, to be started again.
    """
    settings, store, keys = _places()
    while True:
        _follow(settings, store, keys, every, renew * 3600)


def _follow(
    settings: Settings, store: ObjectStore, keys: BackupKeys, every: float, seconds: float
) -> None:
    url = replication_url(settings)
    with receiving(url, settings.backups / SPOOL) as receiver:
        with _alone(settings):
            found = BackupMaker(settings, store, keys, datetime.now(UTC)).make(_tell)
            verify_backup(settings, store, keys, found.name)
            keep_newest(store, keys, settings.backup_keep)
        keeper = LogKeeper(store, keys, found.name, settings.backups / SPOOL)
        _tell(f"StreamFollower {found.name}")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            now = datetime.now(UTC)
            if receiver.poll() is not None:
                raise BackupError("pg_receivewal has ended: the record is not followed any more")
            keeper.keep(now)
            time.sleep(every)


@app.command("list")
def list_backups(*, as_json: Json = False) -> None:
    """List the backups, oldest first; one that is damaged or was not finished is named as such."""
    _, store, keys = _places()
    rows = [_row(store, keys, name) for name in store.backups()]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['backup']}: {row['state']}")


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="A backup; without, the newest.")] = "",
) -> None:
    """Restore a backup into an empty place without network, compare, and remove that place."""
    settings, store, keys = _places()
    with _alone(settings):
        found = verify_backup(settings, store, keys, name or _newest(store))
    typer.echo(
        f"{found.name} is what it says ({found.seconds:.0f} s): {found.replayed} open histories "
        f"replayed, {found.proven_rows} rows of the record proven by a witness"
    )
    for what, why in found.not_checked.items():
        typer.echo(f"not checked: {what}, {why}")


@app.command()
def restore(name: Name) -> None:
    """Bring a backup back to AETHER_HOME, where nothing may be. What comes back is stopped.

    Every token, approval and request of then is void, and no account takes entries until it was
    compared with the exchange and a person has lifted the kill switch.
    """
    settings, store, keys = _places()
    restored = Restorer(store, keys, name).restore(
        settings.home, datetime.now(UTC), chains_at_fault, _tell
    )
    typer.echo(
        f"{settings.home} is as of {restored.known_until:%Y-%m-%d %H:%M:%S} UTC; nothing is "
        f"known of what happened since. Kill switch {restored.kill_switch} "
        "stands."
    )
    adopt = "" if _belongs_here(settings) else "aether admin adopt --yes, "
    typer.echo(
        f"Next: {adopt}aether up, aether verify, then aether kill-switch lift "
        f"{restored.kill_switch} --reason …"
    )


def _newest(store: ObjectStore) -> str:
    whole = [name for name in store.backups() if store.exists(f"{name}/{manifests.FILE}")]
    if not whole:
        raise BackupError("there is no backup: aether backup create")
    return whole[-1]


def _row(store: ObjectStore, keys: BackupKeys, name: str) -> dict[str, Any]:
    if not store.exists(f"{name}/{manifests.FILE}"):
        return {"backup": name, "good": False, "state": "was not finished"}
    try:
        found = manifests.read_manifest(store, name, keys)
        verified = manifests.read_verified(store, name, keys)
    except BackupError as error:
        return {"backup": name, "good": False, "state": str(error)}
    when = f"verified {verified.at:%Y-%m-%d %H:%M} UTC" if verified else "not verified yet"
    return {
        "backup": name,
        "good": True,
        "state": f"{found.size / 1e6:.1f} MB as of {found.began_at:%Y-%m-%d %H:%M:%S} UTC, {when}",
        "began_at": found.began_at.isoformat(),
        "verified_at": verified.at.isoformat() if verified else None,
        "size": found.size,
        "left_out": found.left_out,
    }


def _places() -> tuple[Settings, ObjectStore, BackupKeys]:
    settings = Settings()
    return settings, store_of(settings), BackupKeys(settings.backup_key_directory)


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let no second one make or verify backups in the same directory meanwhile."""
    settings.backups.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(settings.backups / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StateError(f"another backup is under way in {settings.backups}") from None
    finally:
        os.close(descriptor)


def _belongs_here(settings: Settings) -> bool:
    found = StateDirectory(settings.home).manifest()
    return found is not None and found.place in ("", place_of(settings.home))


def _tell(line: str) -> None:
    typer.echo(line, err=True)
