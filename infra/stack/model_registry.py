"""The registry of models: MLflow over PostgreSQL, behind a token.

Run by ``python -m infra.stack.model_registry``.

Started only when learning is on. It listens on loopback, answers whoever shows the token in the
secrets' directory, and serves tracking, the registry and its pages only: MLflow's other services
(an assistant that runs programs, a gateway) are not reachable.
"""

import base64
import binascii
import hmac
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import psycopg
import structlog
from sqlalchemy.engine import make_url

from infra.runtime.control_token import control_token
from infra.runtime.database.connections import Role, database_url
from infra.runtime.errors import PlatformError
from infra.runtime.http.guard import HttpGuard
from infra.runtime.logs import configure_logs
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory

log = structlog.get_logger(__name__)

NICE = 10
SCHEMA = "mlflow"
PATHS = (
    "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/", "/api/3.0/mlflow/",
    "/ajax-api/2.0/mlflow/", "/ajax-api/2.0/mlflow-artifacts/", "/ajax-api/3.0/mlflow/",
    "/static-files/", "/get-artifact", "/model-versions/get-artifact", "/version",
)  # fmt: skip
NEVER = ("assistant", "gateway", "webhooks", "jobs", "mcp", "secrets", "scorers", "graphql")
"""Beginnings of a path's parts: what runs programs, calls other machines, or holds their keys."""
OPEN_PATHS = ("/health",)
RETRY_SECONDS, LAST_TRY_SECONDS = 0.5, 120.0

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]


class Door:
    """An ASGI application that lets through whoever shows the token, and only to what is served."""

    def __init__(self, app: App, token: str, guard: HttpGuard) -> None:
        self._app = app
        self._token = token
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        status = self._refusal(scope) if scope["type"] == "http" else 404
        if status:
            await _refuse(send, status)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> int:
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in _sent(scope)
        ]
        path = str(scope["path"])
        refusal = self._guard.refusal(scope["method"], headers, only_json=False)
        if refusal is not None:
            return int(refusal.status)
        if path in OPEN_PATHS:
            return 0
        if not any(self._shows_token(value) for name, value in headers if name == "authorization"):
            return 401
        is_served = path == "/" or path.startswith(PATHS)
        is_never = any(part.startswith(NEVER) for part in path.lower().split("/"))
        return 0 if is_served and not is_never else 404

    def _shows_token(self, value: str) -> bool:
        kind, _, shown = value.partition(" ")
        if kind.lower() == "basic":  # what a browser can send
            try:
                shown = base64.b64decode(shown, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif kind.lower() != "bearer":
            return False
        return hmac.compare_digest(shown.encode(), self._token.encode())


def _sent(scope: Scope) -> Iterable[tuple[bytes, bytes]]:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return headers


async def _refuse(send: Any, status: int) -> None:
    headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Aether models", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"refused\n"})


def registry_url(settings: Settings) -> str:
    """Return the address of the registry's tables: a schema of their own in the record's database.

    MLflow makes and upgrades them itself; the role can do nothing else.
    """
    url = make_url(database_url(settings, Role.REGISTRY)).set(drivername="postgresql+psycopg")
    own = url.update_query_dict({"options": f"-csearch_path={SCHEMA}"})
    return own.render_as_string(hide_password=False)


def served(settings: Settings) -> App:
    """Bring the tables up to date and return MLflow behind its door."""
    home = StateDirectory(settings.home)
    artifacts = home.registry / "artifacts"
    artifacts.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = registry_url(settings)
    os.environ |= {
        "_MLFLOW_SERVER_FILE_STORE": url,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(artifacts),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "2",
        # Nothing of what happens here is told to anybody.
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }
    from mlflow.db import upgrade

    assert upgrade.callback is not None
    upgrade.callback(url=url)
    from mlflow.server.fastapi_app import app

    return Door(app, control_token(home.registry_token), HttpGuard(settings.registry_port))


def _wait_for_database(settings: Settings) -> None:
    until = time.monotonic() + LAST_TRY_SECONDS
    while True:
        try:
            psycopg.connect(database_url(settings, Role.REGISTRY), connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def main() -> int:
    """Serve until SIGTERM or SIGINT; 2 with one line on standard error when it cannot start."""
    settings = Settings()
    configure_logs("registry", settings.log_level)
    os.nice(NICE)
    try:
        _wait_for_database(settings)
        app = served(settings)
    except PlatformError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    import uvicorn

    log.info("registry of models serves", port=settings.registry_port)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=settings.registry_port,
        access_log=False,
        log_level="warning",
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
