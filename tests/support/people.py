"""People who sign in to an application in this process as a browser would."""

import asyncio
import hashlib
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from fastapi import FastAPI

from activities.adapters.postgres.governance.people import PostgresPeople
from api.access.cookies import COOKIE
from infra.runtime.database.connections import Database
from models.trading.governance.rights import Grant, Role
from tests.support.authenticator import Authenticator

PASSWORD = "orbit-velvet-cactus-47-lantern"
FROM_OUR_PAGE = {"Sec-Fetch-Site": "same-origin", "Aether-Request": "1"}


def light_hash(password: str = PASSWORD) -> str:
    """Return a PBKDF2 hash that costs nothing, as an old export could have it."""
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), b"salt", 1)
    return f"pbkdf2_sha256$1$salt${b64encode(made).decode()}"


class Browser(httpx.AsyncClient):
    """A client with a cookie jar that takes Secure cookies on loopback, as Chromium's does."""

    def __init__(self, app: FastAPI, port: int, name: str = "localhost", **headers: str) -> None:
        super().__init__(
            transport=httpx.ASGITransport(app),
            base_url=f"http://{name}:{port}",
            headers=FROM_OUR_PAGE | headers,
        )
        self.reference = ""
        self.passkey = Authenticator(f"http://{name}:{port}")
        self.user = ""
        self.person = ""
        self.steps_up = True

    async def request(self, method: str, url: Any, **options: Any) -> httpx.Response:
        """Send a request with the cookie; confirm it with the passkey where that is asked for."""
        answer = await self._send(method, url, **options)
        wanted = answer.status_code == 403 and "step-up-required" in answer.text
        if wanted and self.steps_up:
            operation = answer.json()["operation"]
            asked = await self.ask_step_up(operation, str(url), options.get("json"))
            if asked.status_code != 200:
                return asked
            reference = await self.answer_step_up(asked)
            headers = {**(options.pop("headers", None) or {}), "Aether-Step-Up": reference}
            answer = await self._send(method, url, headers=headers, **options)
        return answer

    async def step_up(self, operation: str, path: str, body: Any = None) -> str:
        """Confirm one action with the passkey, and return the reference."""
        asked = await self.ask_step_up(operation, path, body)
        assert asked.status_code == 200, asked.text
        return await self.answer_step_up(asked)

    async def ask_step_up(self, operation: str, path: str, body: Any = None) -> httpx.Response:
        """Ask to confirm one action."""
        return await self._send(
            "POST",
            "/api/v1/me/step-ups",
            json={"operation": operation, "path": path, "body": body},
        )

    async def answer_step_up(self, asked: httpx.Response) -> str:
        """Sign what is to be confirmed, and return the reference."""
        signed = self.passkey.sign(asked.json()["passkey"])
        done = await self._send(
            "POST", f"/api/v1/me/step-ups/{asked.json()['step_up']}", json={"credential": signed}
        )
        assert done.status_code == 200, done.text
        return done.json()["reference"]

    async def add_passkey(self) -> dict[str, Any]:
        """Register the passkey with the session at hand."""
        begun = await self.post("/api/v1/me/factors/passkey/begin")
        assert begun.status_code == 200, begun.text
        made = self.passkey.make(begun.json()["options"])
        added = await self._send(
            "POST", "/api/v1/me/factors/passkey", json={"label": "key", "credential": made}
        )
        assert added.status_code == 200, added.text
        return added.json()

    async def add_another(self) -> None:
        """Register a second passkey, confirmed with the first one, which stays in use."""
        begin = "/api/v1/me/factors/passkey/begin"
        reference = await self.step_up("begin_passkey", begin)
        begun = await self._send("POST", begin, headers={"Aether-Step-Up": reference})
        made = Authenticator(self.passkey.origin).make(begun.json()["options"])
        body = {"label": "spare", "credential": made}
        added = await self._send("POST", "/api/v1/me/factors/passkey", json=body)
        assert added.status_code == 200, added.text

    async def _send(self, method: str, url: Any, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", None) or {})
        if self.reference:
            headers["Cookie"] = f"{COOKIE}={self.reference}"
        answer = await super().request(method, url, headers=headers, **options)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if name == COOKIE:
                self.reference = value.strip('"')
        return answer


async def age_roles(admin: Database, name: str) -> None:
    """Let a person's roles be two days old, as only the database's owner could."""
    async with await _owning(admin) as connection:
        await connection.execute(
            "UPDATE person_grants SET granted_at = granted_at - interval '2 days' "
            "FROM people p WHERE p.user_id = person_grants.user_id AND p.name = %s",
            [name],
        )


async def _owning(admin: Database) -> psycopg.AsyncConnection[Any]:
    address = admin.url.set(username="postgres", drivername="postgresql")
    return await psycopg.AsyncConnection.connect(
        address.render_as_string(hide_password=False), autocommit=True
    )


async def leave_with_fewer_factors(admin: Database, least: int = 2) -> None:
    """Let every director be nobody who has fewer second factors than going live asks for."""
    async with await _owning(admin) as connection:
        await connection.execute(
            "UPDATE people SET disabled_at = clock_timestamp(), disabled_by = 'aether'"
            " WHERE disabled_at IS NULL"
            " AND name IN (SELECT name FROM directors_of('', %s) WHERE short)",
            [least],
        )


async def leave(admin: Database, user_id: str) -> None:
    """Let somebody be nobody any more, as the database's owner."""
    async with await _owning(admin) as connection:
        await connection.execute(
            "UPDATE people SET disabled_at = clock_timestamp(), disabled_by = 'aether'"
            " WHERE user_id = %s AND disabled_at IS NULL",
            [user_id],
        )


@asynccontextmanager
async def signed_in(
    app: FastAPI,
    port: int,
    admin: Database,
    *grants: Grant,
    name: str | None = None,
    factors: int = 1,
    new: bool = False,
) -> AsyncIterator[Browser]:
    """Let a person with roles (a director of all accounts, if none is given) sign in.

    They have had their roles for days, unless they are ``new``.
    """
    name = name or f"person-{uuid4().hex[:8]}"
    roles = list(grants) or [Grant(Role.DIRECTOR), Grant(Role.PLATFORM)]
    people = PostgresPeople(admin)
    assert await people.bring(name, name.title(), light_hash(), roles, datetime.now(UTC), "aether")
    if not new:
        await age_roles(admin, name)
    async with Browser(app, port) as browser:
        first = await browser.post("/api/v1/sign-in", json={"name": name, "password": PASSWORD})
        assert first.json()["step"] == "enrolment", first.text
        await browser.add_passkey()
        for _ in range(factors - 1):
            await browser.add_another()
        me = await browser.get("/api/v1/me")
        assert me.status_code == 200, me.text
        browser.person, browser.user = name, me.json()["user"]
        try:
            yield browser
        finally:
            # Whoever stays is one of the directors that later tests count.
            await leave(admin, browser.user.removeprefix("user/"))


async def until(condition: Any, seconds: float = 5.0) -> Any:
    """Wait until a condition holds, and return what it gave."""
    async with asyncio.timeout(seconds):
        while True:
            found = await condition()
            if found:
                return found
            await asyncio.sleep(0.02)
