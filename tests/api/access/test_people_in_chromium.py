"""In a real browser: the set-up page, a passkey of a virtual authenticator, and the cookie."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
import uvicorn

from activities.adapters.postgres.governance.people import PostgresPeople
from tests.support.chromium import PROGRAM, chromium
from tests.support.demanded import absent
from tests.support.people import PASSWORD
from tests.support.platform import OTHER_PORT_BASE, running_platform
from tests.support.temporal import eventually


@pytest.fixture(autouse=True)
def _browser():
    if PROGRAM is None:
        absent("no Chromium on this machine")


AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
STEP_UP = """
(async () => {
  const headers = { "Content-Type": "application/json", "Aether-Request": "1" };
  const post = async (path, body, more) => {
    const answer = await fetch("/api/v1" + path, {
      method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(body) });
    return [answer.status, await answer.json()];
  };
  const bytes = (t) => Uint8Array.from(
    atob(t.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (b) => btoa(String.fromCharCode(...new Uint8Array(b)))
    .replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");
  const body = { label: "job", scopes: ["account.read"], accounts: ["*"], days: 1 };
  const [, asked] = await post("/me/step-ups",
    { operation: "make_token", path: "/api/v1/me/tokens", body });
  const options = asked.passkey;
  options.challenge = bytes(options.challenge);
  for (const one of options.allowCredentials) one.id = bytes(one.id);
  const made = await navigator.credentials.get({ publicKey: options });
  const r = made.response;
  const credential = { id: made.id, rawId: text(made.rawId), type: made.type, response: {
    clientDataJSON: text(r.clientDataJSON), authenticatorData: text(r.authenticatorData),
    signature: text(r.signature) } };
  const [, done] = await post("/me/step-ups/" + asked.step_up, { credential });
  const [status, token] = await post("/me/tokens", body, { "Aether-Step-Up": done.reference });
  return JSON.stringify({ status, method: done.method, token: (token.token || "").slice(0, 11) });
})()
"""


@pytest.fixture
async def served(postgres):
    async with running_platform(
        postgres, postgres.new_database(), None, OTHER_PORT_BASE
    ) as running:
        config = uvicorn.Config(
            running.app, host="127.0.0.1", port=OTHER_PORT_BASE, lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve())
        await eventually(lambda: server.started, "the API is served")
        yield running
        server.should_exit = True
        await task


async def test_director_is_set_up_with_a_passkey_and_confirms_an_action(served):
    link = await PostgresPeople(served.admin).first_link(datetime.now(UTC), "aether")
    origin = f"http://localhost:{OTHER_PORT_BASE}"
    async with chromium() as page:
        await page.call("WebAuthn.enable")
        await page.call("WebAuthn.addVirtualAuthenticator", options=AUTHENTICATOR)
        await page.open(f"{origin}/set-up#{link}")
        await page.until("!document.getElementById('person').hidden")
        assert link not in await page.run("location.href")
        for name, value in (("name", "ada"), ("display", "Ada"), ("password", PASSWORD)):
            await page.run(f"document.getElementById('{name}').value = {json.dumps(value)}")
        await page.run("document.querySelector('#person button').click()")
        await page.until("!document.getElementById('factor').hidden")
        assert await page.run("document.querySelector('#qr svg') !== null")
        await page.run("document.getElementById('passkey').click()")
        await page.until("!document.getElementById('codes').hidden")
        codes = await page.run("document.getElementById('list').textContent")
        assert len(codes.splitlines()) == 10
        # Secure, over plain HTTP on localhost, with the __Host- prefix: Chromium keeps it.
        (cookie,) = (await page.call("Network.getCookies", urls=[origin]))["cookies"]
        assert cookie["name"] == "__Host-aether-session"
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
        assert await page.run("document.cookie") == ""
        me = await page.run("fetch('/api/v1/me').then((r) => r.text())")
        assert json.loads(me)["name"] == "ada"
        done = json.loads(await page.run(STEP_UP))
        assert done == {"status": 201, "method": "passkey", "token": "aether_pat_"}
        # The same machine by its other name is another site to the browser.
        await page.open(f"http://127.0.0.1:{OTHER_PORT_BASE}/set-up")
        status = await page.run("fetch('/api/v1/me').then((r) => r.status)")
        assert status == 401
