"""Two people of a throwaway stack, who lift what the benchmark has stopped."""

import secrets
from datetime import UTC, datetime
from typing import Any, Self
from uuid import uuid4

import httpx

from activities.adapters.people.passwords import Passwords
from activities.adapters.postgres.governance.people import PostgresPeople
from cli.bench.authenticator import Authenticator
from cli.bench.load import BenchError
from cli.session import COOKIE, FROM_OUR_PROGRAM, STEP_UP_HEADER
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as PersonRole


class BenchPerson:
    """A director with a passkey in software; requests are confirmed where that is asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = httpx.Client(
            base_url=f"{settings.api_url}/api/v1",
            headers=FROM_OUR_PROGRAM | {"Host": f"localhost:{settings.port_base}"},
            trust_env=False,
            timeout=15,
        )
        self._passkey = Authenticator(f"http://localhost:{settings.port_base}")
        self._reference = ""

    async def sign_in(self) -> Self:
        """Be made, and add a passkey."""
        name, password = f"bench-{uuid4().hex[:8]}", secrets.token_urlsafe(24)
        database = Database(database_url(self._settings, Role.ADMIN), application="aether-bench")
        grants = [Grant(PersonRole.DIRECTOR)]
        try:
            hashed = await Passwords().hash(password)
            people = PostgresPeople(database)
            await people.bring(name, name, hashed, grants, datetime.now(UTC), "aether")
        finally:
            await database.close()
        self._sent("POST", "/sign-in", json={"name": name, "password": password})
        options = self._sent("POST", "/me/factors/passkey/begin")["options"]
        made = {"credential": self._passkey.make(options), "label": "bench"}
        self._sent("POST", "/me/factors/passkey", json=made)
        return self

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a command once, confirmed where that is asked for."""
        headers = {"Idempotency-Key": uuid4().hex}
        answer = self._send("POST", path, json=body, headers=headers)
        if answer.status_code == httpx.codes.FORBIDDEN and "step-up-required" in answer.text:
            wanted = {"operation": answer.json()["operation"], "path": f"/api/v1{path}"}
            asked = self._sent("POST", "/me/step-ups", json=wanted | {"body": body})
            signed = {"credential": self._passkey.sign(asked["passkey"])}
            known = self._sent("POST", f"/me/step-ups/{asked['step_up']}", json=signed)
            headers |= {STEP_UP_HEADER: known["reference"]}
            answer = self._send("POST", path, json=body, headers=headers)
        return self._content(answer)

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def _sent(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return self._content(self._send(method, path, **options))

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**options.pop("headers", {}), "Cookie": f"{COOKIE}={self._reference}"}
        answer = self._http.request(method, path, headers=headers, **options)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if name == COOKIE:
                self._reference = value.strip('"')
        return answer

    @staticmethod
    def _content(answer: httpx.Response) -> dict[str, Any]:
        found: dict[str, Any] = answer.json()
        if not answer.is_success:
            raise BenchError(f"{found.get('detail', 'refused')} [{found.get('type', '')}]")
        return found


def lift(people: tuple[BenchPerson, BenchPerson], number: int, why: dict[str, Any]) -> None:
    """Let one ask for a kill switch to be lifted and the other approve it."""
    asked = people[0].post(f"/kill-switch/{number}/lift", why)
    people[1].post(f"/approvals/{asked['approval']}/approve", why)
