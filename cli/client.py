"""The API as the command line sees it: address, token, problems as one clear line."""

import os
import uuid
from typing import Any

import httpx

from infra.runtime.errors import NotRunningError, PlatformError
from infra.runtime.secrets import LocalSecretStore
from infra.runtime.settings import Settings

TIMEOUT_SECONDS = 15.0


class RefusedError(PlatformError):
    """The API refused a request; ``type`` is the problem's stable type."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.type = str(problem.get("type", ""))
        super().__init__(f"{problem.get('detail', 'refused')} [{self.type}]")


def bearer_token(settings: Settings) -> str:
    """Return the caller's token: ``AETHER_TOKEN``, or the administrator's of the local store."""
    given = os.environ.get("AETHER_TOKEN")
    return given or LocalSecretStore(settings.home / "secrets").administrator_token()


class ApiClient:
    """Calls to one stack's API."""

    def __init__(self, settings: Settings) -> None:
        self._client = httpx.Client(
            base_url=f"http://127.0.0.1:{settings.api_port}/api/v1",
            headers={"Authorization": f"Bearer {bearer_token(settings)}"},
            timeout=TIMEOUT_SECONDS,
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """Read; RefusedError for a problem, NotRunningError when nobody answers."""
        return self._call("GET", path, params=parameters)

    def post(self, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> Any:
        """Send a command once, under an idempotency key that is made up unless given."""
        return self._call("POST", path, json=body, headers={"Idempotency-Key": key or _key()})

    def patch(self, path: str, body: dict[str, Any], key: str | None = None) -> Any:
        """Send a change once, under an idempotency key that is made up unless given."""
        return self._call("PATCH", path, json=body, headers={"Idempotency-Key": key or _key()})

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise NotRunningError(
                f"the API does not answer ({type(error).__name__}): aether up"
            ) from None
        if answer.is_success:
            return answer.json()
        try:
            problem = answer.json()
        except ValueError:
            problem = {"detail": f"HTTP {answer.status_code}", "type": ""}
        raise RefusedError(problem)


def _key() -> str:
    return str(uuid.uuid4())
