"""`aether sign-in`, `sign-out`, `whoami`: a person at the terminal, with a session as in a browser.

The reference of the session lies in a file that only this user reads, until it is signed out of or
ends by itself. Single actions that take a confirmation ask for a code of the authenticator.
"""

import json
import sys
from typing import Annotated, Any

import httpx
import typer

from infra.runtime.errors import ConfigurationError, NotRunningError, PlatformError
from infra.runtime.files import write_atomically
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory

COOKIE = "__Host-aether-session"
FROM_OUR_PROGRAM = {"Sec-Fetch-Site": "same-origin", "Aether-Request": "cli"}
STEP_UP_HEADER = "Aether-Step-Up"
STEP_UP_REQUIRED = "urn:aether:problem:step-up-required"
TIMEOUT_SECONDS = 15.0


class TerminalSession:
    """The session of whoever has signed in at this terminal's installation."""

    def __init__(self, settings: Settings) -> None:
        self._path = StateDirectory(settings.home).run / "session"

    @property
    def reference(self) -> str:
        """Return the reference, empty where nobody has signed in."""
        try:
            return self._path.read_text().strip()
        except OSError:
            return ""

    def keep(self, reference: str) -> None:
        """Write a new reference down for this user alone; an empty one removes it."""
        if reference:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._path, reference.encode(), 0o600)
        else:
            self._path.unlink(missing_ok=True)

    def headers(self) -> dict[str, str]:
        """Return what a request is sent with."""
        return {"Cookie": f"{COOKIE}={self.reference}", **FROM_OUR_PROGRAM}

    def take_renewed(self, answer: httpx.Response) -> None:
        """Keep the new reference that an answer gives, if it does."""
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if name == COOKIE:
                self.keep(value.strip('"'))

    def confirm(self, client: httpx.Client, problem: dict[str, Any], path: str, body: Any) -> str:
        """Confirm one action with a code, and return the reference to send with it.

        Raises:
            PlatformError: nobody is there to be asked, or the code was not right.
        """
        if not sys.stdin.isatty():
            raise ConfigurationError(
                f"{problem['detail']} (a terminal is needed to ask for a code)"
            )
        operation = str(problem["operation"])
        asked = self._post(
            client, "/me/step-ups", {"operation": operation, "path": path, "body": body}
        )
        for name, value in asked["content"].items():
            typer.echo(f"  {name}: {value}", err=True)
        code = typer.prompt("Code of your authenticator", err=True).strip()
        done = self._post(client, f"/me/step-ups/{asked['step_up']}", {"code": code})
        return str(done["reference"])

    def _post(self, client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = client.post(path, json=body, headers=self.headers())
        return self.content(answer)

    def content(self, answer: httpx.Response) -> dict[str, Any]:
        """Return what an answer holds.

        Raises:
            PlatformError: it is a problem.
        """
        self.take_renewed(answer)
        try:
            found: dict[str, Any] = answer.json()
        except ValueError:
            raise NotRunningError(f"HTTP {answer.status_code}, which is not the API's") from None
        if not answer.is_success:
            raise PlatformError(f"{found.get('detail', 'refused')} [{found.get('type', '')}]")
        return found


def sign_in(name: Annotated[str, typer.Argument(help="The name you sign in with.")]) -> None:
    """Sign in at this terminal with a password and a code; approvals are given by people."""
    settings = Settings()
    session = TerminalSession(settings)
    password = typer.prompt("Password", hide_input=True, err=True)
    with _client(settings) as client:
        first = _sent(client, "/sign-in", {"name": name, "password": password})
        step = session.content(first)
        if step["step"] != "second-factor":
            session.keep("")
            raise ConfigurationError("set up your second factor in a browser first")
        shown = typer.prompt("Code of your authenticator, or a recovery code", err=True).strip()
        kind = "code" if len(shown) == 6 and shown.isdigit() else "recovery_code"
        cookie = {"Cookie": f"{COOKIE}={session.reference}"}
        session.keep("")
        session.content(_sent(client, "/sign-in/second-factor", {kind: shown}, **cookie))
        typer.echo(f"signed in as {name}: aether sign-out")
        _tell_of_codes(session.content(client.get("/me", headers=session.headers())))


def sign_out() -> None:
    """End the session of this terminal; the machine's own token is used from then on."""
    settings = Settings()
    session = TerminalSession(settings)
    if not session.reference:
        typer.echo("nobody had signed in")
        return
    with _client(settings) as client:
        client.post("/sign-out", headers=session.headers())
    session.keep("")
    typer.echo("signed out")


def whoami(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say who has signed in at this terminal, with which roles."""
    settings = Settings()
    session = TerminalSession(settings)
    if not session.reference:
        raise ConfigurationError("nobody has signed in here; the machine's own token is used")
    with _client(settings) as client:
        me = session.content(client.get("/me", headers=session.headers()))
    roles = ", ".join(f"{g['role']} of {g['account']}" for g in me["grants"])
    said = f"{me['display_name']} ({me['name']}, {me['user']}): {roles}; until {me['ends_at']}"
    typer.echo(json.dumps(me) if as_json else said)
    _tell_of_codes(me)


def _tell_of_codes(me: dict[str, Any]) -> None:
    if me["needs_recovery_codes"]:
        typer.echo(
            "needs recovery codes: none is left (a restore makes them all void). Make new ones on "
            "the page People, before a factor is lost",
            err=True,
        )


def _sent(client: httpx.Client, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return client.post(path, json=body, headers=FROM_OUR_PROGRAM | headers)


class _client(httpx.Client):  # noqa: N801  # a client of this module alone
    def __init__(self, settings: Settings) -> None:
        super().__init__(
            base_url=f"{settings.api_url}/api/v1",
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
            verify=False,
        )

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        try:
            return super().send(request, **options)
        except httpx.TransportError as error:
            raise NotRunningError(
                f"the API does not answer ({type(error).__name__}): aether up"
            ) from None
