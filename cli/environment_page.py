"""The page of all environment variables: ``python -m cli.environment_page``."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from infra.runtime.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "environment.md"

_HEAD = """# Environment variables

Made by `python -m cli.environment_page` from `infra/runtime/settings.py`,
`infra/runtime/data_settings.py` and `infra/runtime/http/port_settings.py`; a test compares.

They say where things are and how the platform runs; every process reads them at its start, and an
empty one counts as not set. Where no default is shown there is none, or it follows from the rest.
Schedules are five fields as of cron, in UTC. Secrets are in none of them: PostgreSQL's passwords
come from libpq's own places, all others from the store that `AETHER_SECRETS` names. How an account
trades is said by [settings](settings.md), which people change while it runs.

Read besides: `AETHER_TOKEN` (with which the commands call, before the session of `aether sign-in`)
and `AETHER_TEMPORAL_CLI` (a Temporal program to use instead of the built one).

| Variable | Value | Default | What it is |
|---|---|---|---|
"""
_ENTRY: Final = re.compile(r"^(\w+(?:, \w+)*): (.*(?:\n {4,}.*)*)", re.MULTILINE)
_MENTION: Final = re.compile(r"``([^`]+)``")


def page() -> str:
    """Return the page.

    Raises:
        LookupError: a setting is described nowhere.
    """
    names = {field: _variable(field) for field in Settings.model_fields}
    told = _meanings()
    if silent := sorted(names.keys() - told.keys()):
        raise LookupError(f"not described: {', '.join(silent)}")
    lines = []
    for field in sorted(names, key=names.__getitem__):
        value, default, meaning = _value(field), _default(field), _prose(told[field], names)
        lines.append(f"| `{names[field]}` | {value} | {default} | {meaning} |\n")
    return _HEAD + "".join(lines)


def _variable(field: str) -> str:
    alias = Settings.model_fields[field].validation_alias
    return str(alias or f"{Settings.model_config['env_prefix']}{field}".upper())


def _meanings() -> dict[str, str]:
    """Return what the classes' docstrings say of each setting; several may share a sentence."""
    found: dict[str, str] = {}
    for kind in Settings.__mro__:
        text = inspect.cleandoc(vars(kind).get("__doc__") or "")
        entries = inspect.cleandoc(text.partition("\nAttributes:\n")[2])
        for names, meaning in _ENTRY.findall(entries):
            first, *others = names.split(", ")
            found.setdefault(first, " ".join(meaning.split()))
            for other in others:
                found.setdefault(other, f"see ``{first}``")
    return found


def _prose(meaning: str, names: dict[str, str]) -> str:
    """Return a meaning with variables for fields; its own name in brackets is left out."""
    text = re.sub(r" \(``(AETHER_\w+|MARKET|SPEED)``\)", "", meaning)
    text = _MENTION.sub(lambda found: f"`{names.get(found[1], found[1])}`", text)
    return text.rstrip(".").replace("|", "\\|")


def _value(field: str) -> str:
    setting = Settings.model_fields[field]
    kinds = [kind for kind in _alternatives(setting.annotation) if kind is not type(None)]
    if get_origin(kinds[0]) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kinds[0]))
    words = {bool: "`true` or `false`", int: "number", Path: "path", str: "text"}[kinds[0]]
    bounds = {
        name: value
        for bound in setting.metadata
        for name in ("ge", "le", "lt")
        if (value := getattr(bound, name, None)) is not None
    }
    if "le" in bounds:
        words += f", {bounds['ge']} to {bounds['le']}"
    elif "lt" in bounds:
        words += f", {bounds['ge']} to below {bounds['lt']}"
    return words


def _alternatives(annotation: Any) -> Iterator[Any]:
    kinds = () if get_origin(annotation) is Literal else get_args(annotation)
    return iter(kinds or (annotation,))


def _default(field: str) -> str:
    default = Settings.model_fields[field].default
    if default is None or default == "":
        return ""
    if isinstance(default, Path) and default.is_absolute():
        raise LookupError(f"the default of {field} is a path of one machine")
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{shown}`"


if __name__ == "__main__":
    PAGE.write_text(page())
