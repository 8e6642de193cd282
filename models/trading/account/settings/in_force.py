"""The settings that are in force as an account carries them, and as they are written down.

Values travel as one JSON text in plain form (``settings_records``): short, comparable, and readable
only together with the catalogue, which knows the type of each.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from models.trading.settings.catalogue import SettingScope, plain
from models.trading.settings.definitions import BY_NAME
from models.trading.settings.reading import (
    AccountRules,
    PlatformRules,
    account_rules,
    platform_rules,
)
from models.trading.settings.records import export_values, restore_version
from models.trading.settings.versions import SettingChange, SettingsVersion, default_version


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """A version of settings; ``values`` is empty where they are the release's defaults."""

    version: int = 0
    values: str = ""


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """One value before and after, each as JSON."""

    name: str
    before: str
    after: str
    dangerous: bool


@dataclass(frozen=True, slots=True)
class SettingsRecord:
    """A version as it is written down, once and for good."""

    version: int
    values: str
    changes: tuple[ChangedValue, ...]
    author: str
    reason: str
    at: datetime
    approved_by: str | None = None

    @property
    def in_force(self) -> SettingsInForce:
        """Return what an account carries of it."""
        return SettingsInForce(self.version, self.values)


def version_in_force(owner: str, scope: SettingScope, settings: SettingsInForce) -> SettingsVersion:
    """Return the version with its values read; what fits no more has its default."""
    known = replace(default_version(owner, scope), version=settings.version)
    stored = json.loads(settings.values) if settings.values else {}
    return restore_version(known, stored).version


def values_text(version: SettingsVersion) -> str:
    """Write all values of a version as one text."""
    return json.dumps(export_values(version), separators=(",", ":"), sort_keys=True)


def record_of(version: SettingsVersion, at: datetime) -> SettingsRecord:
    """Return what is written down of a version."""
    return SettingsRecord(
        version=version.version,
        values=values_text(version),
        changes=tuple(changed_value(change) for change in version.changes),
        author=version.author,
        reason=version.reason,
        at=version.at or at,
        approved_by=version.approved_by,
    )


@lru_cache(maxsize=64)
def rules_of_account(settings: SettingsInForce) -> AccountRules:
    """Return what settings of an account mean."""
    return account_rules(version_in_force("account", SettingScope.ACCOUNT, settings))


@lru_cache(maxsize=16)
def rules_of_platform(settings: SettingsInForce) -> PlatformRules:
    """Return what settings of the platform mean, with no symbol allowed yet."""
    return platform_rules(
        version_in_force("platform", SettingScope.PLATFORM, settings), frozenset()
    )


def changed_value(change: SettingChange) -> ChangedValue:
    """Return one change with its values as JSON."""
    definition = BY_NAME[change.name]
    before, after = (json.dumps(plain(definition, v)) for v in (change.before, change.after))
    return ChangedValue(change.name, before, after, change.dangerous)
