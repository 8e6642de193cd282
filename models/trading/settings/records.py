"""Versions of the settings as they are stored, sent, exported and imported: values by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from models.trading.settings.catalogue import plain, read_value
from models.trading.settings.definitions import BY_NAME
from models.trading.settings.versions import SettingChange, SettingsVersion, default_version

OLD_NAMES: Final[Mapping[str, str]] = {
    "hedge.least": "hedge.ratio_minimum",
    "hedge.most": "hedge.ratio_maximum",
    "hedge.calm": "hedge.volatility_low",
    "hedge.wild": "hedge.volatility_high",
    "hedge.slight": "hedge.drawdown_low",
    "hedge.severe": "hedge.drawdown_high",
    "allocation.least": "allocation.weight_minimum",
    "allocation.most": "allocation.weight_maximum",
    "allocation.tilt": "allocation.performance_weight",
    "strategies.tilt": "strategies.performance_weight",
}
"""What settings were called when a stored or exported version was written."""


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
    for name, raw in sorted(_by_present_names(stored).items()):
        value = read_value(BY_NAME[name], raw).value if name in values else None
        if value is None:
            left_out.append(name)
        else:
            values[name] = value
    return RestoredVersion(replace(record, values=values), tuple(left_out))


def import_updates(current: SettingsVersion, exported: Mapping[str, object]) -> dict[str, object]:
    """Return what an export would change here; unknown names stay in, for the change to refuse."""
    return {
        name: raw
        for name, raw in _by_present_names(exported).items()
        if not _holds(current, name, raw)
    }


def _by_present_names(values: Mapping[str, object]) -> dict[str, object]:
    """Return values by the present names of their settings; these go before old ones."""
    renamed = {OLD_NAMES[name]: raw for name, raw in values.items() if name in OLD_NAMES}
    return {**renamed, **{name: raw for name, raw in values.items() if name not in OLD_NAMES}}


def _holds(current: SettingsVersion, name: str, raw: object) -> bool:
    if name not in current.values:
        return False
    return read_value(BY_NAME[name], raw).value == current.values[name]
