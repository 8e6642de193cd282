"""Exchange keys: uploaded, validated at once, rotated, removed; never shown."""

from collections.abc import Awaitable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from activities.adapters.postgres.accounts.mode_record import PostgresModes
from activities.keys.care import ExchangeKeys, KeyRefusedError
from activities.ports.secrets import Credentials, KeptKey
from api.approvals.exchange_keys import NEEDED, approved_key, takes_two
from api.approvals.freezing import may_break_glass, refuse_frozen
from api.http import reading
from api.http.authentication import Caller, authenticate
from api.http.commands import IdempotencyKey, Response, command_of, run_once
from api.http.problems import ProblemError
from api.messages.bodies import AccountName
from api.messages.exchange_keys import KeyView, UploadKey
from api.services import Services, services_of
from models.trading.risk.limits import Mode

router = APIRouter(
    prefix="/accounts/{account}/keys", tags=["exchange keys"], dependencies=[Depends(authenticate)]
)

Done = TypeVar("Done")

STATUS = {
    "key-of-another-account": HTTPStatus.CONFLICT,
    "key-unchanged": HTTPStatus.CONFLICT,
    "key-needed": HTTPStatus.CONFLICT,
    "no-key": HTTPStatus.NOT_FOUND,
    "key-in-use": HTTPStatus.CONFLICT,
    "key-not-validated": HTTPStatus.CONFLICT,
    "secrets-unavailable": HTTPStatus.CONFLICT,
    NEEDED: HTTPStatus.CONFLICT,
}
"""Refusals that are not 422: the key is well formed, and something else stands against it."""


@router.get("")
async def list_keys(request: Request, account: AccountName) -> list[KeyView]:
    """List the keys that the account has or had: their state, age and last validation."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    now = datetime.now(UTC)
    return [KeyView.of(key, now) for key in await _keys(services).keys(account)]


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=KeyView,
    dependencies=[Depends(may_break_glass)],
)
async def upload_key(
    request: Request, account: AccountName, body: UploadKey, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Validate a key with the exchange and put it in the place of the one before.

    A key that may withdraw, lacks a right or belongs to another account is refused. The trading
    process goes over to it within seconds, without a pause. A change freeze holds it back. Where
    the account trades live another person approves it first: 409 ``approval-needed`` names the
    request, and the same key is sent again afterwards.
    """
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller, body)
    credentials = Credentials(
        body.key.get_secret_value().strip(), body.private_key.get_secret_value().strip()
    )

    async def act() -> Response:
        await refuse_frozen(request, command)
        keys = _keys(services)
        approval = None
        if await takes_two(services, account, body.mode):
            # Nobody is asked about a key that is not fit.
            await _judged(keys.judge(account, body.mode, credentials))
            approval = await approved_key(request, command, account, credentials.key)
        storing = keys.upload(account, body.mode, credentials, caller.name, approval)
        return await _told(HTTPStatus.CREATED, storing)

    return await run_once(services, command, act)


@router.post("/{mode}/check", response_model=KeyView, dependencies=[Depends(may_break_glass)])
async def check_key(
    request: Request, account: AccountName, mode: Mode, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Validate the stored key now; one that was stored by hand is taken into the record.

    A change freeze holds back what would be taken in, as it does an upload. The key that an
    account trades with is validated by the trading process, every ten minutes. One that would take
    the place of a live account's takes another person, as an upload does.
    """
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> Response:
        approval, new = None, await _would_take_in(_keys(services), account, mode)
        if new is not None:
            await refuse_frozen(request, command)
            if await takes_two(services, account, mode):
                approval = await approved_key(request, command, account, new)
        checking = _keys(services).check(account, mode, caller.name, approval)
        return await _told(HTTPStatus.OK, checking)

    return await run_once(services, command, act)


@router.post("/{mode}/remove", response_model=KeyView)
async def remove_key(
    request: Request, account: AccountName, mode: Mode, caller: Caller, key: IdempotencyKey
) -> JSONResponse:
    """Forget the stored key, unless the account trades in its mode."""
    services = services_of(request)
    await reading.require_account(services.database, account)
    command = command_of(request, account, key, caller)

    async def act() -> Response:
        trading = await PostgresModes(services.database).mode_of(account)
        removing = _keys(services).remove(account, mode, trading, caller.name)
        return await _told(HTTPStatus.OK, removing)

    return await run_once(services, command, act)


async def _would_take_in(keys: ExchangeKeys, account: str, mode: Mode) -> str | None:
    """Return the stored key if the record does not know it; None where nobody can tell."""
    try:
        return await keys.new_key(account, mode)
    except KeyRefusedError:
        return None  # The check itself says why.


async def _told(status: HTTPStatus, doing: Awaitable[KeptKey]) -> Response:
    done = await _judged(doing)
    return int(status), KeyView.of(done, datetime.now(UTC)).model_dump(mode="json")


async def _judged(doing: Awaitable[Done]) -> Done:
    try:
        return await doing
    except KeyRefusedError as refused:
        raise ProblemError(
            STATUS.get(refused.code, HTTPStatus.UNPROCESSABLE_ENTITY),
            refused.code,
            str(refused),
            lasting=refused.lasting,
        ) from None


def _keys(services: Services) -> ExchangeKeys:
    if services.keys is None:
        raise ProblemError(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "secrets-unavailable",
            "This process has no store of secrets.",
            lasting=False,
        )
    return services.keys
