"""People who sign in to a whole stack, from outside, each with a passkey in software."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx

from activities.adapters.postgres.governance.people import PostgresPeople
from api.access.cookies import COOKIE
from infra.runtime.database.connections import Database, Role, database_url
from infra.runtime.settings import Settings
from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as PersonRole
from tests.support.authenticator import Authenticator
from tests.support.own_stack import OwnStack
from tests.support.people import FROM_OUR_PAGE, PASSWORD, light_hash


class StackPerson:
    """A director who has signed in; requests are confirmed where that is asked for."""

    def __init__(self, stack: OwnStack, name: str) -> None:
        settings = Settings(home=stack.home, port_base=stack.port_base)
        asyncio.run(_bring(settings, name))
        origin = f"http://localhost:{stack.port_base}"
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{stack.port_base}/api/v1",
            headers=FROM_OUR_PAGE | {"Host": f"localhost:{stack.port_base}"},
            trust_env=False,
            timeout=10,
        )
        self._reference = ""
        self._passkey = Authenticator(origin)
        begun = self._send("POST", "/sign-in", json={"name": name, "password": PASSWORD})
        assert begun.json()["step"] == "enrolment", begun.text
        options = self._send("POST", "/me/factors/passkey/begin").json()["options"]
        body = {"credential": self._passkey.make(options)}
        added = self._send("POST", "/me/factors/passkey", json=body)
        assert added.status_code == 200, added.text

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request, confirmed where that is asked for."""
        answer = self._send(method, path, **options)
        if answer.status_code == 403 and "step-up-required" in answer.text:
            operation = answer.json()["operation"]
            wanted = {"operation": operation, "path": f"/api/v1{path}"}
            asked = self._send("POST", "/me/step-ups", json=wanted | {"body": options.get("json")})
            if asked.status_code != 200:
                return asked
            signed = {"credential": self._passkey.sign(asked.json()["passkey"])}
            path_of = f"/me/step-ups/{asked.json()['step_up']}"
            reference = self._send("POST", path_of, json=signed).json()["reference"]
            headers = {**options.pop("headers", {}), "Aether-Step-Up": reference}
            answer = self._send(method, path, headers=headers, **options)
        return answer

    def close(self) -> None:
        """Give connections back."""
        self._http.close()

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**options.pop("headers", {}), "Cookie": f"{COOKIE}={self._reference}"}
        answer = self._http.request(method, path, headers=headers, **options)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if name == COOKIE:
                self._reference = value.strip('"')
        return answer


async def _bring(settings: Settings, name: str) -> None:
    database = Database(database_url(settings, Role.ADMIN))
    grants = [Grant(PersonRole.DIRECTOR), Grant(PersonRole.PLATFORM)]
    try:
        await PostgresPeople(database).bring(
            name, name.title(), light_hash(), grants, datetime.now(UTC), "aether"
        )
    finally:
        await database.close()
