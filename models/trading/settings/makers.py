"""Shorthands for the table of settings: one for each kind, with its usual range."""

from collections.abc import Callable
from decimal import Decimal

from models.trading.settings.catalogue import (
    Danger,
    SettingDefinition,
    SettingKind,
    SettingScope,
    Value,
)

ZERO, ONE = Decimal(0), Decimal(1)
DAY = Decimal(86_400)
MOST_USD = Decimal(10**12)

Maker = Callable[..., SettingDefinition]


def _maker(kind: SettingKind, least: Decimal | None = None, most: Decimal | None = None) -> Maker:
    """Return a shorthand for settings of one kind with their usual range."""

    def make(
        name: str,
        default: Value,
        description: str,
        danger: Danger = Danger.NONE,
        *,
        least: Decimal | None = least,
        most: Decimal | None = most,
        unit: str = "",
        choices: tuple[str, ...] = (),
        scope: SettingScope = SettingScope.ACCOUNT,
    ) -> SettingDefinition:
        return SettingDefinition(
            name, kind, default, description, danger, least, most, choices, unit, scope
        )

    return make


share = _maker(SettingKind.SHARE, ZERO, ONE)
decimal = _maker(SettingKind.DECIMAL, ZERO, Decimal(1000))
money = _maker(SettingKind.MONEY, ZERO, MOST_USD)
count = _maker(SettingKind.COUNT, ZERO, Decimal(100_000))
seconds = _maker(SettingKind.SECONDS, ZERO, 366 * DAY)
flag = _maker(SettingKind.FLAG)
names = _maker(SettingKind.NAMES)
shares = _maker(SettingKind.SHARES, ZERO, ONE)
choice = _maker(SettingKind.CHOICE)
zone = _maker(SettingKind.ZONE)
local_time = _maker(SettingKind.TIME)
