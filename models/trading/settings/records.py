"""Versions of the settings as they are stored, sent, exported and imported: values by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from models.trading.settings.catalogue import plain, read_value
from models.trading.settings.definitions import BY_NAME
from models.trading.settings.versions import SettingChange, SettingsVersion, default_version


@dataclass(frozen=True, slots=True)
class RestoredVersion:
    """A version read again. ``left_out`` names stored values that do not fit any more.

    They have taken their default, which is to be told and not to pass in silence.
    """

    version: SettingsVersion
    left_out: tuple[str, ...]


def export_values(version: SettingsVersion) -> dict[str, object]:
    """Return all values by name, as YAML and JSON have them."""
    return {name: plain(BY_NAME[name], value) for name, value in sorted(version.values.items())}


def export_changes(changes: Iterable[SettingChange]) -> dict[str, object]:
    """Return the values after the changes by name, as YAML and JSON have them."""
    return {change.name: plain(BY_NAME[change.name], change.after) for change in changes}


def restore_version(record: SettingsVersion, stored: Mapping[str, object]) -> RestoredVersion:
    """Return a stored version with its values read again from their plain form.

    What an earlier release did not have takes its default; what this one does not know, or no
    longer allows, is left out and named.
    """
    values = dict(default_version(record.owner, record.scope).values)
    left_out = []
    for name, raw in sorted(stored.items()):
        value = read_value(BY_NAME[name], raw).value if name in values else None
        if value is None:
            left_out.append(name)
        else:
            values[name] = value
    return RestoredVersion(replace(record, values=values), tuple(left_out))


def import_updates(current: SettingsVersion, exported: Mapping[str, object]) -> dict[str, object]:
    """Return what an export would change here; unknown names stay in, for the change to refuse."""
    return {name: raw for name, raw in exported.items() if not _holds(current, name, raw)}


def _holds(current: SettingsVersion, name: str, raw: object) -> bool:
    if name not in current.values:
        return False
    return read_value(BY_NAME[name], raw).value == current.values[name]
