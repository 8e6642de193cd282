"""A real Alertmanager posts by the file that installations load, with a token as people make it."""

import asyncio
from uuid import uuid4

import httpx
import pytest_asyncio
import uvicorn

from models.trading.governance.rights import Grant
from models.trading.governance.rights import Role as PersonRole
from tests.api.routes.governance.test_api_notifications import notifying, server, told
from tests.support.free_ports import free_block
from tests.support.people import signed_in
from tests.support.platform import running_platform
from tests.support.prometheus import Receivers, alertmanager_of
from tests.support.temporal import eventually

__all__ = ["server"]
SCOPES = ["notification.post"]


@pytest_asyncio.fixture
async def served(platform, server, postgres, api_database):
    """The API on a port, notifications being worked off; gives the port too."""
    port = free_block()
    async with (
        running_platform(postgres, api_database, None, port) as running,
        notifying(platform, server, postgres, api_database),
    ):
        running.services.client = platform.services.client
        config = uvicorn.Config(
            running.app, host="127.0.0.1", port=port, lifespan="off", log_config=None
        )
        listening = uvicorn.Server(config)
        task = asyncio.create_task(listening._serve())
        await eventually(lambda: listening.started, "the API is served")
        yield running, port
        listening.should_exit = True
        await task


async def test_alertmanager_tells_the_platform_with_a_token_that_may_do_nothing_else(
    served, tmp_path
):
    running, port = served
    grant = Grant(PersonRole.DIRECTOR)
    async with signed_in(running.app, port, running.admin, grant) as director:
        body = {"label": "alerts", "scopes": SCOPES, "accounts": ["*"], "days": 90}
        made = await director.post("/api/v1/me/tokens", json=body)
        assert made.status_code == 201, made.text
        token = tmp_path / "token"
        token.write_text("")
        names = [f"Aether{uuid4().hex[:8]}" for _ in range(2)]
        mail = free_block()  # nobody is there: a mail server that is away delays no post
        with alertmanager_of(Receivers(mail, port, token), tmp_path / "sender") as sender:
            await fire(sender, names[0], severity="page")
            await eventually(lambda: refused(tmp_path), "it is refused without a token")
            # Read anew for each message: the alert that was refused is sent again, with the next.
            token.write_text(made.json()["token"])
            await fire(sender, names[0], severity="page")
            await fire(sender, names[1], severity="ticket")
            found = [await recorded(director, name) for name in names]
        assert [one["severity"] for one in found] == ["critical", "warning"]
        assert [one["runbook"] for one in found] == [f"docs/runbooks/{name}.md" for name in names]
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False
        ) as thief:
            assert (await thief.get("/api/v1/accounts")).status_code == 403


async def fire(sender, name, **labels):
    summary = {"summary": f"{name} of a test", "runbook": f"docs/runbooks/{name}.md"}
    alert = {"labels": {"alertname": name, **labels}, "annotations": summary}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"http://127.0.0.1:{sender}/api/v2/alerts", json=[alert])
    assert answer.status_code == 200, answer.text


async def refused(place):
    return "401" in (place / "sender" / "alertmanager.log").read_text()


async def recorded(director, name):
    (one,) = await eventually(lambda: told(director, f"{name} of a test"), f"{name} is recorded")
    return one
