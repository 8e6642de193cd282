"""The API as the command line sees it: address, token, problems as one clear line."""

import os
import re
import uuid
from typing import Any, Final, Self
from urllib.parse import quote

import httpx

from cli.session import STEP_UP_HEADER, STEP_UP_REQUIRED, TerminalSession
from infra.runtime.errors import ConfigurationError, NotRunningError, PlatformError
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory

TIMEOUT_SECONDS = 15.0
BREAK_GLASS_HEADER: Final = "Aether-Break-Glass"
_GLASS_REASON: Final = re.compile(r"[ -~]{10,500}")


class RefusedError(PlatformError):
    """The API refused a request.

    Attributes:
        type: the problem's stable type.
        status: the HTTP status.
        retry_after: seconds after which a repeat may succeed, as the API says; None if it does not.
    """

    def __init__(self, problem: dict[str, Any], retry_after: str | None = None) -> None:
        self.retry_after = retry_after
        self.type = str(problem.get("type", ""))
        self.status = int(problem.get("status") or 0)
        super().__init__(" ".join(f"{problem.get('detail', 'refused')} [{self.type}]".split()))


def bearer_token(settings: Settings) -> str:
    """Return the caller's token: ``AETHER_TOKEN``, or the administrator's of the installation.

    Raises:
        NotRunningError: there is no installation in this state directory.
        StateError: its secrets cannot be read.
    """
    given = os.environ.get("AETHER_TOKEN")
    if given:
        return given
    if settings.secrets == "local" and not StateDirectory(settings.home).secrets.exists():
        raise NotRunningError(f"nothing was ever set up in {settings.home}: aether up")
    return installation_secrets(settings).administrator_token()


def segment(name: str) -> str:
    """Return a name as one segment of a path, whatever it contains."""
    # A dot alone would be taken for a step up or nowhere, so it is written as an escape.
    return quote(name, safe="").replace(".", "%2E")


def glass_headers(reason: str | None) -> dict[str, str]:
    """Return the header that breaks a freeze, none without a reason.

    Raises:
        ConfigurationError: a header cannot carry the reason, or it is too short to be one.
    """
    if reason is None:
        return {}
    if not _GLASS_REASON.fullmatch(reason.strip()):
        raise ConfigurationError("--break-glass takes a reason of 10 to 500 ASCII characters")
    return {BREAK_GLASS_HEADER: reason.strip()}


class ApiClient:
    """Calls to one stack's API over one connection, closed at the end of a ``with`` block."""

    def __init__(self, settings: Settings) -> None:
        self._session = TerminalSession(settings)
        # AETHER_TOKEN counts before a session, and a session before the machine's own token.
        self._is_person = not os.environ.get("AETHER_TOKEN") and bool(self._session.reference)
        self._token = "" if self._is_person else bearer_token(settings)
        self._client = httpx.Client(
            base_url=f"{settings.api_url}/api/v1",
            timeout=TIMEOUT_SECONDS,
            # Plain HTTP on loopback: no proxy may see it, and no certificates need loading.
            trust_env=False,
            verify=False,  # noqa: S501
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """Read; RefusedError for a problem, NotRunningError when nobody answers."""
        return self._call("GET", path, params=parameters)

    def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        key: str | None = None,
        glass: str | None = None,
    ) -> Any:
        """Send a command once, under an idempotency key that is made up unless given.

        ``glass`` says why it is done in spite of a change freeze.
        """
        headers = {"Idempotency-Key": key or _key()} | glass_headers(glass)
        return self._call("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: dict[str, Any], key: str | None = None) -> Any:
        """Send a change once, under an idempotency key that is made up unless given."""
        return self._call("PATCH", path, json=body, headers={"Idempotency-Key": key or _key()})

    def put(
        self, path: str, body: dict[str, Any], key: str | None = None, glass: str | None = None
    ) -> Any:
        """Send a change once, under an idempotency key that is made up unless given."""
        headers = {"Idempotency-Key": key or _key()} | glass_headers(glass)
        return self._call("PUT", path, json=body, headers=headers)

    def delete(self, path: str, key: str | None = None) -> Any:
        """Take something back once, under an idempotency key that is made up unless given."""
        return self._call("DELETE", path, headers={"Idempotency-Key": key or _key()})

    def download(self, path: str) -> bytes:
        """Return what is no JSON: a file."""
        return self._answered("GET", path).content

    def _call(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> Any:
        return self._answered(method, path, headers, **options).json()

    def _answered(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        sent = headers or {}
        try:
            answer = self._client.request(method, path, headers=self._shown() | sent, **options)
            if self._is_person:
                self._session.take_renewed(answer)
                if answer.status_code == httpx.codes.FORBIDDEN and self._wants_step_up(answer):
                    body, full = options.get("json"), answer.request.url.path
                    known = self._session.confirm(self._client, answer.json(), full, body)
                    sent |= {STEP_UP_HEADER: known}
                    answer = self._client.request(
                        method, path, headers=self._shown() | sent, **options
                    )
        except httpx.TransportError as error:
            raise NotRunningError(
                f"the API does not answer ({type(error).__name__}): aether up"
            ) from None
        except (httpx.HTTPError, UnicodeError) as error:
            reason = "a token or key has characters that no header can carry"
            known = str(error) if isinstance(error, httpx.HTTPError) else reason
            raise ConfigurationError(f"the request cannot be sent: {known}") from None
        if answer.is_success:
            return answer
        try:
            problem = answer.json()
        except ValueError:
            problem = None
        if not isinstance(problem, dict) or "type" not in problem:
            # Whatever listens there, it is not the API.
            raise NotRunningError(
                f"HTTP {answer.status_code} from {self._client.base_url}, which is not the API"
            )
        raise RefusedError(problem, answer.headers.get("Retry-After"))

    def _shown(self) -> dict[str, str]:
        """Return the headers that say who calls."""
        if self._is_person:
            return self._session.headers()
        return {"Authorization": f"Bearer {self._token}"}

    @staticmethod
    def _wants_step_up(answer: httpx.Response) -> bool:
        try:
            return bool(answer.json()["type"] == STEP_UP_REQUIRED)
        except (ValueError, KeyError, TypeError):
            return False


def _key() -> str:
    return str(uuid.uuid4())
