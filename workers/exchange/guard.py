"""Who may call the simulator: which requests its port answers, and who may use its control."""

import hmac
import logging
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from infra.runtime.http.guard import SECURITY_HEADERS, HttpGuard
from infra.runtime.http.peer_user import is_own_user
from workers.exchange.wire import dump

_log = logging.getLogger(__name__)

CONTROL = "/control"
READING = frozenset({"GET", "HEAD"})
BEARER = "Bearer "

LiveAccounts = Callable[[], Awaitable[Collection[str]]]
"""Returns the accounts that trade live; raises ConnectionError when that cannot be told."""


def is_control(path: str) -> bool:
    """Tell whether a path is one of the control endpoint's."""
    return path == CONTROL or path.startswith(f"{CONTROL}/")


def guarding(
    names: frozenset[str], token: str | None, live_accounts: LiveAccounts | None
) -> Middleware:
    """Return the middleware that stands before everything else.

    Args:
        names: configured host names.
        token: that lets a caller use control without being this user, None for none.
        live_accounts: tells which accounts trade live, None where none can.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        control = is_control(request.path)
        server = _address(request, "sockname")
        own = HttpGuard(server[1] if server else 0, names)
        refused = own.refusal(request.method, request.headers.items(), only_json=control)
        if refused is not None:
            return problem(refused.status, refused.code, refused.detail)
        if control and not _may_control(request, token):
            return problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "control takes its bearer token, or a process of the same user on this machine",
            )
        if control and request.method not in READING and live_accounts is not None:
            reason = await _why_not_change(live_accounts)
            if reason:
                return problem(HTTPStatus.CONFLICT, "live-account", reason)
        return await handler(request)

    return guard


def problem(status: HTTPStatus, code: str, detail: str) -> web.Response:
    """Return a refusal: a problem's type and detail, and ``error`` as control writes it."""
    body = {"type": f"urn:aether:problem:{code}", "detail": detail, "error": detail}
    headers = dict(SECURITY_HEADERS)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="Aether exchange control"'
    return web.Response(
        status=status, body=dump(body), content_type="application/problem+json", headers=headers
    )


async def add_security_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Complete an answer, as a signal handler of ``on_response_prepare``."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)


def _may_control(request: web.Request, token: str | None) -> bool:
    given = request.headers.get("Authorization", "")
    if given:
        # A wrong token is a mistake to be told, not one to be overlooked.
        known = token is not None and given.startswith(BEARER)
        return known and hmac.compare_digest(
            given.removeprefix(BEARER).encode(), (token or "").encode()
        )
    own, peer = _address(request, "sockname"), _address(request, "peername")
    return own is not None and peer is not None and is_own_user(own, peer)


def _address(request: web.Request, name: str) -> tuple[str, int] | None:
    found = None if request.transport is None else request.transport.get_extra_info(name)
    return (found[0], found[1]) if found else None


async def _why_not_change(live_accounts: LiveAccounts) -> str:
    try:
        live = sorted(await live_accounts())
    except ConnectionError as error:
        _log.warning("control refused: live accounts unknown: %s", error)
        return "it cannot be told whether an account trades live, so nothing is changed"
    if live:
        return f"nothing is changed while accounts trade live: {', '.join(live)}"
    return ""
