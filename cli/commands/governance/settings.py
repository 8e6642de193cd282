"""`aether settings`: show, change, export and import settings, and their history."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from cli.client import ApiClient, RefusedError, segment
from cli.commands.governance.break_glass import BreakGlass
from cli.documents import LONGEST_DOCUMENT, read_yaml
from cli.output.tables import Figures
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings
from models.trading.bounds import OutOfBoundsError
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.documents import definitions_of

app = typer.Typer(help="Settings of accounts and of the platform.", no_args_is_help=True)

PLATFORM = "platform"

Owner = Annotated[str, typer.Argument(help="An account, or `platform`.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Key = Annotated[str | None, typer.Option("--key", help="Idempotency key.")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
Confirm = Annotated[
    bool, typer.Option("--confirm", help="Yes, also where the change lets more be lost.")
]


@app.command()
def show(
    owner: Owner,
    names: Annotated[list[str] | None, typer.Argument(help="Only these.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show the values in force."""
    with ApiClient(Settings()) as api:
        found = api.get(_path(owner))
    values = found["values"]
    unknown = [name for name in names or () if name not in values]
    if unknown:
        raise ConfigurationError(f"{', '.join(unknown)}: no setting of {owner}")
    shown = {name: values[name] for name in names or sorted(values)}
    if as_json:
        typer.echo(json.dumps({**found, "values": shown}))
        return
    at = found["at"] or "the release"
    typer.echo(f"version {found['version']} by {found['author']} at {at}: {found['reason']}")
    meanings = {d.name: d for scope in SettingScope for d in definitions_of(scope)}
    table = Figures(("setting", "value", "unit", "meaning"))
    for name, value in shown.items():
        meaning = meanings[name]
        table.add(name, _plain(value), meaning.shown_unit, meaning.description)
    table.show()


@app.command("set")
def set_values(
    owner: Owner,
    assignments: Annotated[list[str], typer.Argument(help="NAME=VALUE, as YAML has it.")],
    *,
    reason: Reason,
    confirm: Confirm = False,
    break_glass: BreakGlass = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Change values; all of them take effect or none."""
    _change(owner, _assigned(assignments), reason, confirm, key, break_glass, as_json=as_json)


@app.command("export")
def export_values(
    owner: Owner,
    file: Annotated[Path | None, typer.Argument(help="Without it: printed.")] = None,
) -> None:
    """Write the values in force as YAML."""
    with ApiClient(Settings()) as api:
        values = api.get(_path(owner))["values"]
    content = yaml.safe_dump({"settings": values}, sort_keys=True, allow_unicode=True)
    if file is None:
        typer.echo(content, nl=False)
        return
    try:
        file.write_text(content)
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from None


@app.command("import")
def import_values(
    owner: Owner,
    file: Annotated[Path, typer.Argument(help="An export, or a part of one.")],
    *,
    reason: Reason,
    confirm: Confirm = False,
    break_glass: BreakGlass = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Change what differs from an export."""
    wanted = _read(file)
    with ApiClient(Settings()) as api:
        present = api.get(_path(owner))["values"]
    updates = {name: raw for name, raw in wanted.items() if present.get(name, ...) != raw}
    if not updates:
        typer.echo("{}" if as_json else "nothing differs")
        return
    _change(owner, updates, reason, confirm, key, break_glass, as_json=as_json)


@app.command()
def history(owner: Owner, *, as_json: Json = False) -> None:
    """List the versions, newest first."""
    with ApiClient(Settings()) as api:
        found = api.get(f"{_path(owner)}/versions")
    if as_json:
        typer.echo(json.dumps(found))
        return
    for version in found:
        typer.echo(
            f"version {version['version']} by {version['author']} at {version['at']}: "
            f"{version['reason']}"
        )
        for change in version["changes"]:
            danger = " (dangerous)" if change["dangerous"] else ""
            before, after = _plain(change["before"]), _plain(change["after"])
            typer.echo(f"  {change['name']}: {before} -> {after}{danger}")


def _change(
    owner: str,
    updates: dict[str, Any],
    reason: str,
    confirm: bool,
    key: str | None,
    glass: str | None = None,
    *,
    as_json: bool,
) -> None:
    body = {"updates": updates, "reason": reason, "confirm": confirm}
    with ApiClient(Settings()) as api:
        try:
            made = api.post(_path(owner), body, key, glass)
        except RefusedError as error:
            if error.type.endswith("confirmation-needed"):
                raise ConfigurationError(f"{error} Say so with --confirm.") from None
            raise
    if as_json:
        typer.echo(json.dumps(made))
        return
    if made.get("approval"):
        typer.echo(f"{made['detail']}: aether approvals approve {made['approval']}")
        return
    danger = f"; dangerous: {', '.join(made['dangerous'])}" if made["dangerous"] else ""
    typer.echo(f"{made['detail']}{danger}")


def _path(owner: str) -> str:
    return "/settings" if owner == PLATFORM else f"/accounts/{segment(owner)}/settings"


def _assigned(assignments: list[str]) -> dict[str, Any]:
    updates: dict[str, Any] = {}
    for assignment in assignments:
        name, separator, raw = assignment.partition("=")
        if not separator or not name:
            raise ConfigurationError(f"{assignment}: written as NAME=VALUE")
        updates[name] = _value(raw, assignment)
    return updates


def _value(raw: str, where: str) -> Any:
    # Plain text stays text: YAML would read 00:30 as a number of seconds.
    if not raw.startswith(("[", "{")) and raw not in ("true", "false"):
        return raw
    try:
        return read_yaml(raw)
    except OutOfBoundsError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    except yaml.YAMLError:
        raise ConfigurationError(f"{where}: the value is no YAML") from None


def _read(file: Path) -> dict[str, Any]:
    try:
        document = read_yaml(_text_of(file))
    except OutOfBoundsError as error:
        raise ConfigurationError(f"{file}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError:
        raise ConfigurationError(f"{file}: no YAML") from None
    values = document.get("settings") if isinstance(document, dict) else None
    if not isinstance(values, dict) or not all(isinstance(name, str) for name in values):
        raise ConfigurationError(f"{file}: values by name are expected under `settings`")
    return values


def _text_of(file: Path) -> str:
    with file.open("rb") as source:
        content = source.read(LONGEST_DOCUMENT + 1)
    return content.decode("utf-8-sig")


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list | bool) else str(value)
