"""Spans of the requests that change something, each with what was asked of a workflow within it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.runtime.traces.sending import Step, Traces, Trade

LONGEST_NUMBER = 18
"""Digits: more than any trade has, and what a span's attribute can hold."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(slots=True)
class _Noted:
    """What became known of a request while it was answered."""

    opened: Trade | None = None
    inner: list[Step] = field(default_factory=list)


_NOTED: ContextVar[_Noted | None] = ContextVar("traced request", default=None)


class TracedRequests:
    """ASGI middleware that tells what changes something. Reads are counted by metrics only."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell it when it is over."""
        if scope["type"] != "http" or scope["method"] in READING:
            await self._app(scope, receive, send)
            return
        noted, status, began = _Noted(), 0, time.time_ns()
        _NOTED.set(noted)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        finally:
            self._traces.tell(_step(scope, noted, status, began))


@contextmanager
def noted_step(name: str) -> Iterator[None]:
    """Note what is done within the request that is being answered."""
    noted = _NOTED.get()
    if noted is None:
        yield
        return
    began, failure = time.time_ns(), ""
    try:
        yield
    except BaseException as error:
        failure = f"{type(error).__name__}: {error}"
        raise
    finally:
        noted.inner.append(Step(name, began, time.time_ns(), failure=failure))


def note_opened(account: str, number: int | None) -> None:
    """Note which trade came of the request that is being answered."""
    noted = _NOTED.get()
    if noted is not None and number is not None:
        noted.opened = Trade(account, number)


def _template(path: str, route: str) -> str:
    """Return the address with names instead of what is named; a route knows its last part only."""
    if not route:
        return "/"
    asked = path.split("/")
    before = asked[: len(asked) - route.count("/")]
    return "/".join(before) + route


def _trade_of(path: str, named: Mapping[str, str]) -> Trade | None:
    """Return the trade that an address names; it may name what no trade is called."""
    account, number = named.get("account"), str(named.get("number", ""))
    is_number = number.isascii() and number.isdigit() and len(number) <= LONGEST_NUMBER
    return Trade(account, int(number)) if account and is_number and "/trades/" in path else None


def _step(scope: Scope, noted: _Noted, status: int, began: int) -> Step:
    path = _template(scope["path"], getattr(scope.get("route"), "path", "") or "")
    about = _trade_of(path, scope.get("path_params") or {})
    opened = noted.opened if about is None else None
    return Step(
        f"{scope['method']} {path}",
        began,
        time.time_ns(),
        opened or about,
        {
            "http.request.method": scope["method"],
            "http.route": path,
            "http.response.status_code": status,
        },
        "" if 0 < status < 500 else f"answered {status}",
        is_root=opened is not None,
        inner=tuple(noted.inner),
    )
