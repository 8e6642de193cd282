"""Recognisable secrets go through a whole stack; afterwards nothing that it wrote holds one.

A key comes in over the API, is traded with, is rotated, and is refused when it is not fit; in
between calls to the exchange fail in several ways, and trading, market and API are killed. Then
every file of the installation, every log, the arguments and the environment of every process are
searched for each secret in every usual spelling.
"""

import base64
import json
import os
import secrets
import signal
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import httpx
import psutil
import pytest

from infra.runtime.secrets import InstallationSecrets
from infra.runtime.secrets.local import LocalStore
from tests.support.free_ports import free_block
from tests.support.own_stack import OwnStack, own_home, stack_in, wait_until
from tests.support.people import PASSWORD
from tests.support.stack_people import StackPerson

pytestmark = [pytest.mark.stack, pytest.mark.timeout(500)]

STANDS_FOR_KRAKEN = "exchange"
"""The simulator's own directory: it is the exchange, which knows the keys that it has issued."""

KILLED = ("workers.trading", "workers.market", "api.__main__")
FAULTS = [
    {"kind": "http_status", "count": 2, "params": {"status": 502}},
    {"kind": "lost_after", "count": 2},
    {"kind": "error", "count": 2, "params": {"error": "EService:Unavailable"}},
    {"kind": "socket_drop", "count": 2},
]
ATTEMPTS = 10
"""What is said of a call that failed is where a key would be told."""


def spellings(secret: bytes) -> set[bytes]:
    """Return how a secret may look in a file."""
    text = secret.decode(errors="surrogateescape")
    found = {secret, secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")[:-1]}
    found.add(quote(text, safe="", errors="surrogateescape").encode())
    found.add(json.dumps(text).strip('"').encode())
    with suppress(ValueError):
        found.add(base64.b64decode(secret, validate=True))
    # Shorter ones would be found by chance.
    return {one for one in found if len(one) >= 12}


def found_in(content: bytes, canaries: dict[str, bytes]) -> set[str]:
    """Return the names of the secrets that some bytes hold in any spelling."""
    return {
        name
        for name, secret in canaries.items()
        if any(spelling in content for spelling in spellings(secret))
    }


def found_in_files(home: Path, canaries: dict[str, bytes]) -> dict[str, set[str]]:
    """Return what each file of an installation holds, but those that stand for Kraken."""
    found = {}
    for path in home.rglob("*"):
        inside = path.relative_to(home).parts[0]
        if inside == STANDS_FOR_KRAKEN or path.is_symlink() or not path.is_file():
            continue
        if names := found_in(path.read_bytes(), canaries):
            found[str(path.relative_to(home))] = names
    return found


def found_in_processes(home: Path, canaries: dict[str, bytes]) -> dict[str, set[str]]:
    """Return what the arguments and the environment of the installation's processes hold."""
    found, seen = {}, 0
    for process in psutil.process_iter():
        try:
            told = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            around = Path(f"/proc/{process.pid}/environ").read_bytes()
        except OSError:
            continue
        if str(home).encode() not in told + around:
            continue
        seen += 1
        if names := found_in(told + b"\0" + around, canaries):
            found[told.replace(b"\0", b" ").decode(errors="replace")] = names
    assert seen >= 5, "the stack's processes were not found"
    return found


def test_the_search_finds_what_is_planted_in_every_spelling(tmp_path):
    secret = base64.b64encode(os.urandom(64))
    canaries = {"key": secret}
    for number, spelling in enumerate(spellings(secret)):
        (tmp_path / str(number)).write_bytes(b"before" + spelling + b"after")
    assert set(found_in_files(tmp_path, canaries)) == {
        str(number) for number in range(len(spellings(secret)))
    }
    (tmp_path / STANDS_FOR_KRAKEN).mkdir()
    (tmp_path / STANDS_FOR_KRAKEN / "accounts.json").write_bytes(secret)
    assert len(found_in_files(tmp_path, canaries)) == len(spellings(secret))


@pytest.fixture(scope="module")
def passphrase(tmp_path_factory):
    file = tmp_path_factory.mktemp("passphrase") / "passphrase"
    file.write_text(secrets.token_urlsafe(24) + "\n")
    file.chmod(0o600)
    return file


def test_no_secret_is_in_what_the_stack_wrote(passphrase):
    with own_home() as home:
        environment = {"AETHER_SECRETS_PASSPHRASE_FILE": str(passphrase)}
        with stack_in(home, free_block(), **environment) as stack:
            person = StackPerson(stack, "keeper-of-keys")
            try:
                canaries = run(stack, person)
            finally:
                person.close()
            store = InstallationSecrets(LocalStore(home / "secrets", passphrase_file=passphrase))
            canaries |= {
                "passphrase": passphrase.read_bytes().strip(),
                "administrator token": store.administrator_token().encode(),
                "password": PASSWORD.encode(),
                "signing key": store.signing_key("record"),
                **{f"payload key {name}": key for name, key in store.codec_keys().items()},
            }
            assert found_in_processes(home, canaries) == {}
        assert found_in_files(home, canaries) == {}


def run(stack: OwnStack, person: StackPerson) -> dict[str, bytes]:
    """Upload, trade, refuse, kill, rotate; return every secret that came by."""
    canaries: dict[str, bytes] = {}
    rights = control(stack, "GET", {})["keys"][0]["permissions"]
    path = "/accounts/company/keys"

    def upload(what: str, **body: object) -> httpx.Response:
        made = control(stack, "POST", {"account": "company", **body})
        canaries[f"{what}: key"] = made["key"].encode()
        canaries[f"{what}: private key"] = made["secret"].encode()
        sent = {"mode": "simulated", "key": made["key"], "private_key": made["secret"]}
        headers = {"Idempotency-Key": uuid4().hex}
        return person.request("POST", path, json=sent, headers=headers)

    first = upload("first")
    assert first.status_code == 201, first.text
    refused = upload("may withdraw", permissions=[*rights, "withdraw-funds"])
    assert refused.json()["type"].endswith("key-may-withdraw"), refused.text

    def trades_with(number: int) -> bool:
        rows = person.request("GET", path).json()
        return any(row["number"] == number and row["trading_since"] for row in rows)

    wait_until(lambda: trades_with(1), "the uploaded key is traded with", 90)
    wait_until(lambda: len(stack.trades("company")) > 0, "a trade is made", 120)
    control(stack, "POST", {"rules": FAULTS}, "faults")
    for module in KILLED:
        kill(stack, module)
    wait_until(lambda: answers(stack), "the API is there again", 60)
    # The faults meet the validation of a key as well: what came of that is one more secret each.
    for attempt in range(ATTEMPTS):
        second = upload(f"second, attempt {attempt}")
        if second.status_code == 201:
            break
        assert second.json()["type"].endswith("key-not-validated"), second.text
    assert second.status_code == 201, second.text
    wait_until(lambda: trades_with(2), "the rotated key is traded with after the kills", 120)

    def all_struck() -> bool:
        rules = control(stack, "GET", {}, "faults")["rules"]
        return {rule["kind"] for rule in rules if rule["hits"]} == {one["kind"] for one in FAULTS}

    wait_until(all_struck, "every kind of fault has struck", 60)
    return canaries


def kill(stack: OwnStack, module: str) -> None:
    """Kill the stack's process of a module; the stack starts it anew."""
    killed = 0
    for process in psutil.process_iter(["cmdline"]):
        if module in (process.info["cmdline"] or []) and str(stack.home) in str(around(process)):
            os.kill(process.pid, signal.SIGKILL)
            killed += 1
    assert killed, f"{module} does not run"


def answers(stack: OwnStack) -> bool:
    """Tell whether the API answers."""
    with suppress(httpx.TransportError):
        url = f"http://127.0.0.1:{stack.port_base}/healthz"
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    return False


def around(process: psutil.Process) -> dict[str, str]:
    """Return a process's environment, empty where it cannot be read."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def control(stack: OwnStack, method: str, body: dict[str, object], what: str = "keys") -> dict:
    """Ask the simulator as a person does on Kraken's website, or have it fail."""
    url = f"http://127.0.0.1:{stack.port_base + 3}/control/{what}"
    answer = httpx.request(method, url, json=body or None, timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()
