"""Settings of accounts and of the platform: definitions, values, versions, changes, exchange."""

import json
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import yaml
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from activities.adapters.postgres.accounts.settings_journal import SettingsJournal
from activities.adapters.postgres.governance.platform_settings import PostgresPlatformSettings
from api.approvals.asking import require_person_to_ask
from api.approvals.freezing import decided_now, may_break_glass, refuse_frozen
from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import (
    Command,
    IdempotencyKey,
    answered,
    command_of,
    run_once,
    update_workflow,
)
from api.http.problems import refusal
from api.messages import settings as views
from api.messages.bodies import AccountName, PageSize
from api.messages.schemas import Answered
from api.messages.settings import (
    ChangeAccountSettings,
    ChangePlatformSettings,
    ChangeSettings,
    SettingsChanged,
    SettingsExport,
    SettingsSchema,
    SettingsVersionView,
    SettingsView,
)
from api.services import Services, services_of
from infra.runtime.database.connections import PLATFORM_SCOPE
from models.contracts import platform as messages
from models.contracts.names import (
    CHANGE_PLATFORM_UPDATE,
    CHANGE_SETTINGS_UPDATE,
    PLATFORM_WORKFLOW_ID,
    account_workflow_id,
)
from models.trading.account.facts import SettingsChangeRequested
from models.trading.answers import WAITING, Answer
from models.trading.governance.freeze import tightens
from models.trading.governance.subjects import Subject
from models.trading.settings.catalogue import SettingScope
from models.trading.settings.documents import definitions_of, json_schema

router = APIRouter(tags=["settings"], dependencies=[Depends(authenticate)])

ACCOUNT, PLATFORM = SettingScope.ACCOUNT, SettingScope.PLATFORM


class YamlResponse(PlainTextResponse):
    """Settings as people keep them in files."""

    media_type = "application/yaml"


YAML: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/yaml": {"schema": SettingsExport.model_json_schema()}},
        "description": "The values by name, as the import takes them",
    }
}


@router.get("/settings/definitions")
async def get_settings_definitions(scope: SettingScope = ACCOUNT) -> SettingsSchema:
    """Return the JSON schema of the settings: type, unit, range, default, what is dangerous."""
    return SettingsSchema.model_validate(json_schema(definitions_of(scope)))


@router.get("/accounts/{account}/settings")
async def get_account_settings(request: Request, account: AccountName) -> SettingsView:
    """Return all values in force for an account."""
    rows = await _account_rows(request, account, 1)
    return views.settings_view(account, ACCOUNT, rows[0] if rows else None)


@router.get("/accounts/{account}/settings/versions")
async def list_account_settings(
    request: Request, account: AccountName, *, limit: PageSize = 100
) -> list[SettingsVersionView]:
    """List the versions of an account's settings, newest first."""
    return [views.version_view(row) for row in await _account_rows(request, account, limit)]


@router.get("/accounts/{account}/settings/export", response_class=YamlResponse, responses=YAML)
async def export_account_settings(request: Request, account: AccountName) -> YamlResponse:
    """Return all values in force for an account as YAML."""
    return _yaml(await get_account_settings(request, account))


@router.post(
    "/accounts/{account}/settings",
    response_model=SettingsChanged,
    responses={202: {"model": Answered, "description": "Another person decides"}},
    dependencies=[Depends(may_break_glass)],
)
async def change_account_settings(
    request: Request,
    account: AccountName,
    body: ChangeAccountSettings,
    caller: Caller,
    key: IdempotencyKey,
) -> JSONResponse:
    """Change an account's settings; they count from its next decision on.

    What loosens the rules that ask for a second person waits for one.
    """
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)

    async def act() -> tuple[int, dict[str, Any]]:
        await _may_change(request, command, account, body)
        fact = SettingsChangeRequested(
            request_id=command.request_id,
            by=caller.name,
            updates=json.dumps(body.updates),
            reason=body.reason,
            at=datetime.now(UTC),
            based_on=body.based_on,
            confirmed=body.confirm,
        )
        workflow_id = account_workflow_id(account)
        answer = await update_workflow(
            services, workflow_id, CHANGE_SETTINGS_UPDATE, fact, command.request_id, Answer
        )
        if answer.code == WAITING:
            return await answered(services, answer, account, HTTPStatus.ACCEPTED)
        if not answer.accepted or answer.settings_version is None:
            raise refusal(answer)
        return _changed(answer.settings_version, answer.detail, answer.dangerous)

    return await run_once(services, command, act)


@router.get("/settings")
async def get_platform_settings(request: Request) -> SettingsView:
    """Return all values in force for the platform."""
    rows = await PostgresPlatformSettings(services_of(request).database).versions(1)
    return views.settings_view(PLATFORM.value, PLATFORM, rows[0] if rows else None)


@router.get("/settings/versions")
async def list_platform_settings(
    request: Request, *, limit: PageSize = 100
) -> list[SettingsVersionView]:
    """List the versions of the platform's settings, newest first."""
    rows = await PostgresPlatformSettings(services_of(request).database).versions(limit)
    return [views.version_view(row) for row in rows]


@router.get("/settings/export", response_class=YamlResponse, responses=YAML)
async def export_platform_settings(request: Request) -> YamlResponse:
    """Return all values in force for the platform as YAML."""
    return _yaml(await get_platform_settings(request))


@router.post(
    "/settings",
    response_model=SettingsChanged,
    responses={202: {"model": Answered, "description": "Another person decides"}},
    dependencies=[Depends(may_break_glass)],
)
async def change_platform_settings(
    request: Request, body: ChangePlatformSettings, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Change the platform's settings; every account is told and goes by them from then on.

    What loosens the rules that ask for a second person waits for one.
    """
    services = services_of(request)
    command = command_of(request, PLATFORM_SCOPE, key, caller, body)

    async def act() -> tuple[int, dict[str, Any]]:
        await _may_change(request, command, PLATFORM_SCOPE, body)
        return await _change_platform(services, command, body)

    return await run_once(services, command, act)


async def _may_change(request: Request, command: Command, scope: str, body: ChangeSettings) -> None:
    """Refuse what a freeze holds back, and a token that would ask for what people ask for."""
    decision = await decided_now(services_of(request), scope, body.updates)
    if decision.needs_person:
        await require_person_to_ask(request, Subject.CHANGE_SETTINGS)
    if not tightens(decision.changes):
        await refuse_frozen(request, command)


async def _change_platform(
    services: Services, command: Command, body: ChangeSettings
) -> tuple[int, dict[str, Any]]:
    wanted = messages.ChangePlatformSettings(
        request_id=command.request_id,
        by=command.caller.name,
        updates=json.dumps(body.updates),
        reason=body.reason,
        at=datetime.now(UTC),
        based_on=body.based_on,
        confirmed=body.confirm,
    )
    answer = await update_workflow(
        services, PLATFORM_WORKFLOW_ID, CHANGE_PLATFORM_UPDATE, wanted, command.request_id, Answer
    )
    if answer.code == WAITING:
        return await answered(services, answer, PLATFORM_SCOPE, HTTPStatus.ACCEPTED)
    if not answer.accepted or answer.settings_version is None:
        raise refusal(answer)
    return _changed(answer.settings_version, answer.detail, answer.dangerous)


def _changed(version: int, detail: str, dangerous: tuple[str, ...]) -> tuple[int, dict[str, Any]]:
    changed = SettingsChanged(version=version, detail=detail, dangerous=list(dangerous))
    return int(HTTPStatus.OK), changed.model_dump(mode="json")


async def _account_rows(request: Request, account: str, limit: int) -> Any:
    services = services_of(request)
    await reading.require_account(services.database, account)
    return await SettingsJournal(services.database).settings_versions(account, limit)


def _yaml(view: SettingsView) -> YamlResponse:
    content = yaml.safe_dump({"settings": view.values}, sort_keys=True, allow_unicode=True)
    return YamlResponse(content)
