"""Payload keys change at the machine, and the record says by whom; else nothing changes."""

import psycopg
import pytest

from infra.runtime.database.connections import Role
from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE


@pytest.fixture
def keys(aether, tmp_path, monkeypatch):
    """Return the payload keys of the installation that the commands are about."""
    monkeypatch.setenv("AETHER_HOME", str(tmp_path / "home"))
    installation_secrets(Settings()).create()
    return lambda: list(installation_secrets(Settings()).codec_keys())


async def test_rotating_and_forgetting_a_payload_key_is_recorded(aether, served, keys):
    (first,) = keys()
    made = (await aether("secrets", "rotate-payload-key")).split()[2]
    assert keys() == [made, first]
    (row,) = await served.audited("platform", "payload_key_rotated")
    assert row["details"] == {"key": made}
    assert row["actor"].startswith("machine/")

    assert "can be read no more" in await aether("secrets", "forget-payload-key", first, status=2)
    unknown = await aether("secrets", "forget-payload-key", "nothing", "--yes", status=2)
    assert "no older payload key" in unknown
    assert await served.audited("platform", "payload_key_forgotten") == []
    await aether("secrets", "forget-payload-key", first, "--yes")
    assert keys() == [made]
    (row,) = await served.audited("platform", "payload_key_forgotten")
    assert row["details"] == {"key": first}


async def test_a_key_is_not_forgotten_while_a_factor_that_counts_is_sealed_with_it(
    aether, served, keys, postgres, api_database
):
    async with signed_in(served.app, PORT_BASE, served.admin) as person:
        user = (await person.get("/api/v1/me")).json()["user"].removeprefix("user/")
    forget = ("secrets", "forget-payload-key", "sealer", "--yes")
    with psycopg.connect(postgres.url(Role.OWNER, api_database), autocommit=True) as owner:
        owner.execute(
            "INSERT INTO person_factors (factor_id, user_id, kind, label, secret, created_at)"
            " VALUES ('sealed', %s, 'totp', 'phone', 'sealer:abc', now())",
            [user],
        )
        assert "1 one-time code secrets are sealed with" in await aether(*forget, status=2)
        owner.execute("UPDATE person_factors SET removed_at = now() WHERE factor_id = 'sealed'")
        assert "sealer is no older payload key" in await aether(*forget, status=2)


async def test_no_key_is_changed_while_the_record_does_not_answer(aether, keys):
    away = {"AETHER_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    before = keys()
    said = await aether("secrets", "rotate-payload-key", status=None, **away)
    assert "encrypts from now on" not in said
    assert keys() == before
