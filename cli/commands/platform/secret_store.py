"""`aether secrets`: where secrets lie, and the keys that this installation makes itself."""

import asyncio
import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import text

from activities.adapters.postgres import audit
from cli.output.records import database_of
from infra.runtime.database.connections import PLATFORM_SCOPE, Role
from infra.runtime.errors import ConfigurationError
from infra.runtime.files import write_atomically
from infra.runtime.secrets import SecretsError, installation_secrets
from infra.runtime.secrets.installation import first_documents, fresh_exchange_key
from infra.runtime.secrets.mounted import file_name
from infra.runtime.settings import Settings

app = typer.Typer(help="The store of secrets and the payload keys.", no_args_is_help=True)

_SEALED = text("SELECT factors_sealed_with(:key) AS count")


@app.command()
def status() -> None:
    """Show the store, what state it is in, and the payload keys by id; exit code 1 unless ready."""
    secrets = installation_secrets(Settings())
    try:
        secrets.store.check()
        first, *older = secrets.codec_keys()
    except SecretsError as error:
        typer.echo(f"{secrets.store.kind}: {error.state.value}: {error}")
        raise typer.Exit(1) from None
    typer.echo(f"{secrets.store.kind}: ready")
    typer.echo(f"payload key {first} encrypts; older ones still read: {', '.join(older) or 'none'}")


@app.command("rotate-payload-key")
def rotate_payload_key() -> None:
    """Make a new key for what goes to Temporal; running processes take it up within a minute."""
    settings = Settings()
    secrets = installation_secrets(settings)
    made = asyncio.run(_recorded(settings, secrets.rotate_payload_key))
    typer.echo(f"payload key {made} encrypts from now on; the older ones still read")


@app.command("forget-payload-key")
def forget_payload_key(
    name: Annotated[str, typer.Argument(help="Id of an older key.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what.")] = False,
) -> None:
    """Forget an older payload key; every history written with it can be read no more."""
    settings = Settings()
    if sealed := asyncio.run(_sealed_with(settings, name)):
        raise ConfigurationError(
            f"{sealed} one-time code secrets are sealed with {name}: their owners replace these "
            "factors first"
        )
    if not yes:
        raise ConfigurationError(
            f"histories of workflows that were written with {name} can be read no more, running "
            f"workflows included. To do it: aether secrets forget-payload-key {name} --yes"
        )
    secrets = installation_secrets(settings)

    def forget() -> str:
        secrets.forget_payload_key(name)
        return name

    try:
        asyncio.run(_recorded(settings, forget, forgotten=True))
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    typer.echo(f"payload key {name} is forgotten")


@app.command("kubernetes-secret")
def kubernetes_secret(
    file: Annotated[Path, typer.Argument(help="The manifest to write, for its owner only.")],
    name: Annotated[str, typer.Option("--name", help="Of the Secret.")] = "aether-platform",
) -> None:
    """Write a Secret with fresh keys for a first start where Kubernetes mounts them."""
    if file.exists():
        raise ConfigurationError(f"{file} exists: nothing was written")
    documents = {file_name(one): json.dumps(dict(c)) for one, c in first_documents().items()}
    for account in Settings().first_accounts:
        key = fresh_exchange_key()
        content = {"key": key.key, "secret": key.secret}
        documents[file_name(f"exchange/{account}/simulated")] = json.dumps(content)
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "Opaque",
        "stringData": documents,
    }
    write_atomically(file, json.dumps(manifest, indent=1).encode() + b"\n", 0o600)
    typer.echo(f"wrote {file}: kubectl apply -f {file}, then remove it")


async def _recorded(
    settings: Settings, change: Callable[[], str], *, forgotten: bool = False
) -> str:
    """Change a payload key and record it; nothing is changed while the record does not answer."""
    action = "payload_key_forgotten" if forgotten else "payload_key_rotated"
    async with (
        database_of(settings, "aether-secrets", Role.ADMIN) as database,
        database.account_scope(PLATFORM_SCOPE) as session,
    ):
        changed = change()
        actor = f"machine/{getpass.getuser()}"
        await audit.append(session, PLATFORM_SCOPE, actor, action, {"key": changed})
    return changed


async def _sealed_with(settings: Settings, name: str) -> int:
    async with database_of(settings, "aether-secrets", Role.ADMIN) as database:
        rows = await database.call(_SEALED, {"key": name})
    return int(rows[0].count)
