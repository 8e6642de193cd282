"""Holding changes back while a freeze lasts, and letting through whoever breaks the glass."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Final

import structlog
from fastapi import Header, Request

from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.adapters.postgres.governance.freezes import PostgresFreezes
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from api.access.figures import BROKEN_GLASS
from api.http.commands import Command
from api.http.problems import ProblemError
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.trading.account.settings.in_force import version_in_force
from models.trading.governance.freeze import freezes_at
from models.trading.governance.freeze_windows import Freeze
from models.trading.risk.limits import Mode
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.versions import ChangeRequest, SettingsDecision, decide_change

log = structlog.get_logger(__name__)

HEADER: Final = "Aether-Break-Glass"
BreakGlass = Annotated[
    str | None,
    Header(
        alias=HEADER,
        min_length=10,
        max_length=500,
        pattern=r"^[ -~]+$",
        description="Why this is done in spite of a change freeze; told, recorded and reviewed",
    ),
]


async def freezes_now(services: Services) -> tuple[Freeze, ...]:
    """Return every freeze that holds now."""
    by_hand = [row.freeze() for row in await PostgresFreezes(services.database).standing()]
    rules = await PostgresPlatformSettings(services.database).rules()
    return freezes_at(by_hand, rules.freeze_windows, datetime.now(UTC))


async def may_break_glass(_: BreakGlass = None) -> None:
    """Take the header of those routes that a freeze may hold back."""


async def refuse_frozen(request: Request, command: Command) -> None:
    """Refuse what loosens something while a freeze lasts; with a reason it is done all the same.

    Raises:
        ProblemError: 409 ``change-frozen``, or 403 where no person breaks the glass.
    """
    services = services_of(request)
    found = await freezes_now(services)
    if not found:
        return
    held = "; ".join(one.reason for one in found)
    reason = request.headers.get(HEADER)
    if reason is None:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "change-frozen",
            f"Changes are frozen: {held}. In an emergency say why as {HEADER}.",
            lasting=False,
        )
    if not command.caller.is_person:
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "person-required",
            "A freeze is broken by a person who has signed in.",
            lasting=False,
        )
    operation = str(request.scope["route"].name)
    await PostgresFreezes(services.database).note_break(
        command.request_id,
        operation,
        request.url.path[:200],
        held[:500],
        reason,
        command.caller.name,
        datetime.now(UTC),
    )
    BROKEN_GLASS.inc()
    log.error("a change freeze is broken", operation=operation, by=command.caller.name, why=reason)


async def decided_now(
    services: Services, scope: str, updates: Mapping[str, object]
) -> SettingsDecision:
    """Judge a change of settings by those in force, as if its author had confirmed it.

    A look ahead, before the workflow that makes the change decides; unsound ones fail there.
    """
    live = False
    if scope == PLATFORM_SCOPE:
        kind = SettingScope.PLATFORM
        in_force = await PostgresPlatformSettings(services.database).in_force()
    else:
        kind = SettingScope.ACCOUNT
        in_force = await SettingsJournal(services.database).settings_in_force(scope)
        live = await PostgresModes(services.database).mode_of(scope) is Mode.LIVE
    current = version_in_force(scope, kind, in_force)
    now = datetime.now(UTC)
    return decide_change(
        current,
        ChangeRequest(
            updates, "somebody", "looked at", now, current.version, confirmed=True, live=live
        ),
    )
