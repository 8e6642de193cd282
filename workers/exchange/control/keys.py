"""``/control/keys``: what Kraken's website does for a person: a further key of an account, or none.

The answer to a POST is the only place where the private half is ever shown.
"""

import asyncio
import base64
import json
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiohttp import web

from infra.runtime.files import write_atomically
from workers.exchange.accounts import ALL_PERMISSIONS, KNOWN_PERMISSIONS, AccountKey
from workers.exchange.authentication import Authenticator
from workers.exchange.wire import dump, load


class KeyDesk:
    """Issues and revokes keys, and keeps them in the accounts file where there is one."""

    def __init__(self, authenticator: Authenticator, file: Path | None) -> None:
        self._authenticator = authenticator
        self._file = file

    def add_routes(self, app: web.Application) -> None:
        """Add the paths to an application."""
        app.router.add_get("/control/keys", self._get)
        app.router.add_post("/control/keys", self._post)
        app.router.add_delete("/control/keys", self._delete)

    async def _get(self, _: web.Request) -> web.Response:
        keys = self._authenticator.keys().values()
        return _json({"keys": [_shown(key) for key in keys]})

    async def _post(self, request: web.Request) -> web.Response:
        body = await _body(request)
        account, wanted = body.get("account"), body.get("permissions", sorted(ALL_PERMISSIONS))
        owner = next(
            (one for one in self._authenticator.keys().values() if one.account == account), None
        )
        if owner is None:
            raise _problem(f"account {account!r} is unknown")
        if not isinstance(wanted, list) or not set(wanted) <= KNOWN_PERMISSIONS:
            raise _problem(f"permissions are of {', '.join(sorted(KNOWN_PERMISSIONS))}")
        made = AccountKey(
            account=owner.account,
            key=base64.b64encode(secrets.token_bytes(42)).decode(),
            secret=base64.b64encode(secrets.token_bytes(64)).decode(),
            tier=owner.tier,
            permissions=frozenset(wanted),
        )
        await self._keep(lambda rows: [*rows, _row(made)])
        self._authenticator.add(made)
        return _json({**_shown(made), "secret": made.secret})

    async def _delete(self, request: web.Request) -> web.Response:
        key = (await _body(request)).get("key")
        found = self._authenticator.keys().get(str(key))
        if found is None:
            raise _problem("there is no such key")
        keys = self._authenticator.keys().values()
        if sum(one.account == found.account for one in keys) == 1:
            raise _problem(f"it is the last key of {found.account}")
        await self._keep(lambda rows: [row for row in rows if row["key"] != key])
        self._authenticator.remove(found.key)
        return _json(_shown(found))

    async def _keep(self, change: Any) -> None:
        file = self._file
        if file is None:
            return

        def rewrite() -> None:
            rows = json.loads(file.read_bytes())
            write_atomically(file, json.dumps(change(rows), indent=1).encode(), 0o600)

        await asyncio.to_thread(rewrite)


def _row(key: AccountKey) -> dict[str, Any]:
    # Without balances: a further key brings no money.
    return {
        "account": key.account,
        "key": key.key,
        "secret": key.secret,
        "balances": {"USD": str(Decimal(0))},
        "tier": key.tier,
        "permissions": sorted(key.permissions),
    }


def _shown(key: AccountKey) -> dict[str, Any]:
    return {"account": key.account, "key": key.key, "permissions": sorted(key.permissions)}


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = load(await request.read() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _problem("the body is a JSON object")
    return body


def _json(value: Any) -> web.Response:
    return web.Response(body=dump(value), content_type="application/json")


def _problem(reason: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(body=dump({"error": reason}), content_type="application/json")
