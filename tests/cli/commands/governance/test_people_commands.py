"""What is done about people on the machine: first link, import, leaked tokens, recovery."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime

import psycopg
import pytest

from activities.adapters.postgres.governance.people import PostgresPeople
from activities.adapters.postgres.installation import create_token
from cli.commands.platform.stack import _tell_set_up_link
from cli.main import main
from infra.runtime.database.connections import Role
from infra.runtime.settings import Settings
from tests.support.people import PASSWORD, Browser, light_hash, signed_in
from tests.support.platform import OTHER_PORT_BASE, running_platform


@pytest.fixture
async def served(postgres):
    name = postgres.new_database()
    async with running_platform(postgres, name, None, OTHER_PORT_BASE) as running:
        running.name = name
        yield running


@pytest.fixture
def machine(served, postgres, tmp_path, monkeypatch, capsys):
    """Run the command line on the machine, beside the API."""
    for name in [name for name in os.environ if name.startswith("AETHER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AETHER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AETHER_PORT_BASE", str(OTHER_PORT_BASE))
    monkeypatch.setenv("AETHER_DATABASE_URL", postgres.url(Role.OWNER, served.name))

    async def plain(*words, status=0):
        monkeypatch.setattr(sys, "argv", ["aether", *words])
        capsys.readouterr()

        def run():
            with pytest.raises(SystemExit) as ended:
                main()
            return ended.value.code

        code = await asyncio.to_thread(run)
        said, complained = capsys.readouterr()
        assert (code or 0) == status, complained + said
        return (complained if status else said).strip()

    async def call(*words, status=0):
        return await plain("admin", *words, status=status)

    call.__wrapped__ = plain
    return call


async def test_link_is_printed_while_there_is_no_director(served, machine):
    address = await machine("set-up-link")
    assert address.startswith(f"http://localhost:{OTHER_PORT_BASE}/set-up#")
    async with Browser(served.app, OTHER_PORT_BASE) as browser:
        link = address.partition("#")[2]
        body = {"link": link, "name": "ada", "display_name": "Ada", "password": PASSWORD}
        assert (await browser.post("/api/v1/enrolment", json=body)).status_code == 200
    assert "there is a director" in await machine("set-up-link", status=2)


async def test_each_start_prints_a_link_until_there_is_a_director(served, machine, capsys):
    links = []
    for _ in range(2):
        await asyncio.to_thread(_tell_set_up_link, Settings())
        links.append(capsys.readouterr().err.partition("/set-up#")[2].strip())
    async with Browser(served.app, OTHER_PORT_BASE) as browser:
        statuses = [
            (await browser.post("/api/v1/enrolment/look", json={"link": link})).status_code
            for link in links
        ]
        assert statuses == [404, 200]
        body = {"link": links[1], "name": "ada", "display_name": "Ada", "password": PASSWORD}
        assert (await browser.post("/api/v1/enrolment", json=body)).status_code == 200
    await asyncio.to_thread(_tell_set_up_link, Settings())
    assert capsys.readouterr().err == ""


async def test_import_brings_people_once_whether_plain_or_hashed(served, machine, tmp_path):
    export = tmp_path / "export.json"
    people = [
        {"username": "Ada", "password_hash": light_hash(), "roles": ["director"]},
        {"email": "bob@example.org", "display_name": "Bob", "password": PASSWORD},
        {"name": "cat", "password": PASSWORD, "roles": ["operator"], "accounts": ["company"]},
    ]
    export.write_text(json.dumps({"people": people}))
    assert await machine("import", str(export)) == "3 brought, 0 known already"
    assert await machine("import", str(export)) == "0 brought, 3 known already"
    found = {row["name"]: row for row in await PostgresPeople(served.admin).everybody()}
    assert set(found) == {"ada", "bob@example.org", "cat"}
    assert found["cat"]["grants"] == [["operator", "company"]]
    assert all(row["created_by"].startswith("machine/") for row in found.values())
    for name in ("ada", "bob@example.org"):
        async with Browser(served.app, OTHER_PORT_BASE) as browser:
            body = {"name": name, "password": PASSWORD}
            begun = await browser.post("/api/v1/sign-in", json=body)
            assert begun.json()["step"] == "enrolment"
            await browser.add_passkey()
            assert (await browser.get("/api/v1/me")).json()["name"] == name
    imported = await served.audited("platform", "person_imported")
    assert len(imported) == 3
    assert PASSWORD not in json.dumps(imported)


@pytest.mark.parametrize(
    ("person", "said"),
    [
        ({"name": "ada", "password": "short"}, "at least 15"),
        ({"name": "ada", "password": "passwordpassword"}, "password"),
        ({"name": "Аda", "password": PASSWORD}, "person 1"),  # noqa: RUF001  # a Cyrillic A
        ({"name": "ada"}, "either password or password_hash"),
        ({"name": "ada", "password_hash": "$2b$31$" + "a" * 53}, "cost"),
        ({"name": "ada", "password_hash": "plain"}, "a hash is"),
        ({"name": "ada", "password": PASSWORD, "roles": ["king"]}, "roles are"),
    ],
)
async def test_a_bad_export_brings_nobody(served, machine, tmp_path, person, said):
    export = tmp_path / "export.json"
    export.write_text(json.dumps([{"name": "good", "password_hash": light_hash()}, person]))
    complained = await machine("import", str(export), status=2)
    assert said.replace("person 1", "person 2") in complained
    assert await PostgresPeople(served.admin).everybody() == []


async def test_leaked_tokens_are_found_in_a_text_and_revoked(served, machine, tmp_path):
    own = await create_token(served.admin, "found", "administrator", datetime.now(UTC))
    async with signed_in(served.app, OTHER_PORT_BASE, served.admin) as ada:
        body = {"label": "job", "scopes": ["account.read"], "accounts": ["*"]}
        tokens = [
            (await ada.post("/api/v1/me/tokens", json=body)).json()["token"] for _ in range(2)
        ]
        log = tmp_path / "log.txt"
        log.write_text(f"curl -H 'Authorization: Bearer {tokens[0]}'\nexport TOKEN= {own}\n")
        said = await machine("revoke-leaked", str(log))
        assert said.count("revoked: ") == 2
        assert "job of user/" in said
        listed = (await ada.get("/api/v1/me/tokens")).json()
        assert [one["revoked_at"] is None for one in listed] == [True, False]
    assert "no token" in await machine("revoke-leaked", str(log))
    assert "aether_pat_" in await machine("revoke-leaked", "--pattern")


async def test_recovery_without_a_live_account_gives_a_link_at_once(served, machine):
    async with signed_in(served.app, OTHER_PORT_BASE, served.admin, name="ada") as ada:
        address = await machine("recover", "ada")
        assert (await ada.get("/api/v1/me")).status_code == 401
        link = address.partition("#")[2]
        new = "granite-willow-88-harbour-moth"
        done = await ada.post("/api/v1/enrolment", json={"link": link, "password": new})
        assert done.status_code == 200, done.text
        await ada.add_passkey()
        assert (await ada.get("/api/v1/me")).json()["name"] == "ada"
    assert "no director" in await machine("recover", "nobody", status=2)


async def test_recovery_with_a_live_account_waits_a_day_stops_entries_and_can_be_cancelled(
    served, machine, postgres
):
    account = await served.add_account()
    superuser = postgres.url("postgres", served.name)
    with psycopg.connect(superuser) as connection:
        connection.execute("UPDATE accounts SET mode = 'live' WHERE account_id = %s", [account])
    async with signed_in(served.app, OTHER_PORT_BASE, served.admin, name="ada") as ada:
        assert "can be let in again from" in await machine("recover", "ada")
        assert "can be let in again from" in await machine("recover", "ada")
        (standing,) = (await ada.get("/api/v1/kill-switch")).json()
        assert standing["accounts"] == [account]
        (found,) = (await ada.get("/api/v1/recoveries")).json()
        waits = datetime.fromisoformat(found["effective_at"]) - datetime.now(UTC)
        assert 23.9 < waits.total_seconds() / 3600 <= 24
        assert any("recovery" in form for form in await degraded_modes(served))
        path = f"/api/v1/recoveries/{found['recovery_id']}/cancel"
        assert (await ada.post(path)).status_code == 200
        assert (await ada.post(path)).status_code == 404
        assert (await ada.get("/api/v1/recoveries")).json() == []
        assert (await ada.get("/api/v1/me")).status_code == 200
        await machine("recover", "ada")
        with psycopg.connect(superuser) as connection:
            connection.execute(
                "UPDATE recoveries SET effective_at = effective_at - interval '1 day'"
            )
        assert "/set-up#" in await machine("recover", "ada")
        assert (await ada.get("/api/v1/me")).status_code == 401
    actions = {row["action"] for row in await served.audited_all("platform")}
    assert {"recovery_asked", "recovery_cancelled", "recovery_taken"} <= actions


async def degraded_modes(served):
    return (await served.stranger.get("/readyz")).json()["degraded_modes"]
