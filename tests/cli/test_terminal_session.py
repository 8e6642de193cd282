"""A person at the terminal: signs in, is asked for a code where an action takes one, signs out."""

import asyncio
import stat
import sys
from base64 import b32decode
from datetime import UTC, datetime

import psycopg
import pytest
import uvicorn

from cli.client import ApiClient, RefusedError
from cli.session import whoami
from infra.runtime.errors import ConfigurationError, PlatformError
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.trading.governance.totp import code_at, time_step
from tests.cli.commands.governance.test_people_commands import machine, served
from tests.support.people import PASSWORD, signed_in
from tests.support.platform import OTHER_PORT_BASE
from tests.support.temporal import eventually

__all__ = ["machine", "served"]


@pytest.fixture
async def listening(served):
    config = uvicorn.Config(
        served.app, host="127.0.0.1", port=OTHER_PORT_BASE, lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    await eventually(lambda: server.started, "the API is served")
    yield served
    server.should_exit = True
    await task


async def void_codes(admin):
    """Take all recovery codes away, as a restore does."""
    address = admin.url.set(username="postgres", drivername="postgresql")
    async with await psycopg.AsyncConnection.connect(
        address.render_as_string(hide_password=False), autocommit=True
    ) as connection:
        await connection.execute("UPDATE recovery_codes SET used_at = now()")


def code(secret, offset):
    return code_at(secret, time_step(datetime.now(UTC)) + offset)


async def test_person_signs_in_confirms_and_signs_out(listening, machine, monkeypatch, capsys):
    answers = []
    monkeypatch.setattr("typer.prompt", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    session = StateDirectory(Settings().home).run / "session"
    async with signed_in(listening.app, OTHER_PORT_BASE, listening.admin, name="ada") as ada:
        made = (await ada.post("/api/v1/me/factors/totp", json={})).json()
        secret = b32decode(made["secret"])
        path = f"/api/v1/me/factors/totp/{made['factor']}/confirm"
        await ada.post(path, json={"code": code(secret, -1)})

        async def run(*words, status=0):
            return await machine.__wrapped__(*words, status=status)

        answers[:] = [PASSWORD, code(secret, 0)]
        assert "signed in as ada" in await run("sign-in", "ada")
        assert stat.S_IMODE(session.stat().st_mode) == 0o600
        assert "director of *" in await run("whoami")

        async def complaints():
            capsys.readouterr()
            await asyncio.to_thread(whoami, as_json=False)
            return capsys.readouterr().err

        assert await complaints() == ""
        await void_codes(listening.admin)
        assert "needs recovery codes: none is left" in await complaints()

        def codes():
            with ApiClient(Settings()) as api:
                return api.post("/me/recovery-codes")["recovery_codes"]

        answers[:] = [code(secret, 1)]
        before = session.read_text()
        assert len(await asyncio.to_thread(codes)) == 10
        assert session.read_text() != before
        assert await complaints() == ""
        answers[:] = ["000000"]
        with pytest.raises(PlatformError, match="sign-in-failed"):
            await asyncio.to_thread(codes)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
        with pytest.raises(ConfigurationError, match="terminal is needed"):
            await asyncio.to_thread(codes)
        monkeypatch.setenv("AETHER_TOKEN", listening.token)
        with pytest.raises(RefusedError, match="person-required"):
            await asyncio.to_thread(codes)
        monkeypatch.delenv("AETHER_TOKEN")
        assert await run("sign-out") == "signed out"
        assert not session.exists()
        assert "nobody has signed in" in await run("whoami", status=2)


async def test_wrong_words_sign_nobody_in(listening, machine, monkeypatch):
    answers = ["wrong", "123456"]
    monkeypatch.setattr("typer.prompt", lambda *_, **__: answers.pop(0))
    complained = await machine.__wrapped__("sign-in", "nobody", status=2)
    assert "sign-in-failed" in complained
    assert not (StateDirectory(Settings().home).run / "session").exists()
