"""The API's outermost layer: refuses what a web page or a foreign name sends, completes answers."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.http.problems import MEDIA_TYPE, ProblemError, document
from infra.runtime.http.guard import SECURITY_HEADERS, HttpGuard, Refusal, configured_names
from infra.runtime.settings import Settings


def guard_of(settings: Settings) -> HttpGuard:
    """Return what the API's port accepts: its own pages, and Temporal's web UI for the codec."""
    return HttpGuard(
        settings.api_port,
        configured_names(settings.host_names),
        frozenset({settings.temporal_ui_url}),
    )


class Guard:
    """Answer a refused request as a problem; add the security headers to every answer."""

    def __init__(self, app: ASGIApp, guard: HttpGuard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection of the server."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refused = self._guard.refusal(scope["method"], Headers(scope=scope).items())
        app = self._app if refused is None else _problem(refused)
        await app(scope, receive, send_completed)


def _problem(refused: Refusal) -> JSONResponse:
    problem = ProblemError(refused.status, refused.code, refused.detail)
    return JSONResponse(document(problem), refused.status.value, media_type=MEDIA_TYPE)
