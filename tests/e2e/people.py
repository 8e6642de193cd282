"""What people do over the API of a whole stack, and what it shows them."""

import time
from typing import Any
from uuid import uuid4

import httpx

from tests.support.own_stack import OwnStack
from tests.support.stack_people import StackPerson

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.1


class Person:
    """Somebody with a token or a session; a request is repeated under its key until answered."""

    def __init__(self, stack: OwnStack, shown: str | StackPerson) -> None:
        self._http = (
            shown
            if isinstance(shown, StackPerson)
            else httpx.Client(
                base_url=f"http://127.0.0.1:{stack.port_base}/api/v1",
                headers={"Authorization": f"Bearer {shown}"},
                timeout=10,
            )
        )

    def see(self, path: str) -> Any:
        """Return what is shown under a path."""
        return self._definite("GET", path, None).json()

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Post a request and return what came of it, with its ``code`` also when refused."""
        answer = self._definite("POST", path, body)
        content: dict[str, Any] = answer.json()
        kind = str(content.get("type", "")).rpartition(":")[2]
        return content | {"code": content.get("code") or kind or "accepted"}

    def do(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Post a request that must not be refused."""
        answer = self._definite("POST", path, body)
        assert answer.is_success, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def leave(self) -> None:
        """Give connections back."""
        self._http.close()

    def _definite(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        headers = {} if method == "GET" else {"Idempotency-Key": uuid4().hex}
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._http.request(method, path, json=body, headers=headers)
                # A refused trade is answered for good, whatever class its reason belongs to.
                if answer.status_code < 500 or '"checks"' in answer.text:
                    return answer
                failure = answer.text
            except httpx.TransportError as error:
                failure = repr(error)
            assert time.monotonic() < until, f"{method} {path}: {failure}"
            time.sleep(LOOK_SECONDS)
