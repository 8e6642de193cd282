"""A second person has a token of its own: printed once, named in the audit, revocable."""

import json
from datetime import UTC, datetime
from uuid import uuid4

from activities.adapters.postgres.installation import list_tokens, token_hash
from tests.support.platform import a_key, loopback
from tests.support.temporal import eventually


async def test_second_token_acts_under_its_own_name_until_revoked(aether, served):
    name = f"second-{uuid4().hex[:6]}"
    token = (await aether("admin", "token", "--name", name)).strip()
    stored = {row.name: row for row in await list_tokens(served.admin)}
    assert stored[name].token_hash == token_hash(token)
    account = await served.add_account()
    await served.start_account(account)
    async with loopback(served.app, token) as second:
        path = f"/api/v1/accounts/{account}/halt"
        answer = await second.post(path, json={"reason": "by the second"}, headers=a_key())
        assert answer.status_code == 200, answer.text

        async def halted_by():
            return [entry["actor"] for entry in await served.audited(account, "halted")]

        await eventually(halted_by, "the halt is audited")
        assert await halted_by() == [name]
        assert name in await aether("admin", "tokens")
        assert "revoked" in await aether("admin", "revoke-token", name)
        served.services.tokens.remember(token_hash(token), None)
        assert (await second.get("/api/v1/accounts")).status_code == 401
    listed = json.loads(await aether("admin", "tokens", "--json"))
    revoked = next(row for row in listed if row["name"] == name)["revoked_at"]
    assert datetime.fromisoformat(revoked) <= datetime.now(UTC)
    created = await served.audited("platform", "token_created")
    assert created[0]["details"]["name"] == name
    assert created[0]["actor"].startswith("machine/")
    assert (await served.audited("platform", "token_revoked"))[0]["details"] == {"name": name}


async def test_token_that_could_mislead_is_refused(aether, served):
    taken = f"taken-{uuid4().hex[:6]}"
    await aether("admin", "token", "--name", taken)
    for name, said in [
        (taken, "there is or was a token"),
        ("aether", "is no name for a token"),
        ("platform", "is no name for a token"),
        ("Second Person", "is no name for a token"),
        ("a/b", "is no name for a token"),
    ]:
        assert said in await aether("admin", "token", "--name", name, status=2)
    assert "no valid token" in await aether("admin", "revoke-token", "nobody", status=2)
