"""Evidence packs, verified by foreign code: signed notes of Go, proofs of transparency-dev."""

import asyncio
import base64
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import rfc8785

from activities.adapters.postgres.installation import create_account
from activities.adapters.postgres.journal import PostgresJournal
from activities.adapters.postgres.record.evidence import PostgresEvidence
from activities.adapters.postgres.record.tree import PostgresRecordTree
from activities.adapters.record.file_witness import FileWitness
from activities.adapters.record.pack_targets import BucketTarget, DirectoryTarget, pack_target
from activities.adapters.record.signer import LogSigner, log_key, log_name
from activities.ports.record import Selection
from activities.record import evidence
from activities.record.evidence import EvidenceExporter, PackRefusedError
from activities.record.keeper import RecordKeeper
from activities.record.scheduled_packs import ScheduledPacks
from infra.runtime.database.connections import Database, Role
from infra.runtime.errors import ConfigurationError
from infra.runtime.secrets import local_secrets
from models.trading.account.state import AccountState
from tests.support.demanded import absent
from tests.support.free_ports import free_block
from tests.support.stories import LIMITS
from workers.upkeep.evidence import keep_packs

ROOT = Path(__file__).parents[3]
VERIFIER = ROOT / "infra" / "evidence" / "verifier"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Evidence:
    """A small record with two checkpoints and what exports it."""

    def __init__(self, recorder, home) -> None:
        self.recorder, self.home = recorder, home
        self.clock = [START]
        self.signer = LogSigner(
            log_key(local_secrets(home / "secrets").create(), home),
            home / "record",
            log_name("tests"),
        )
        witness = FileWitness(home / "witness", self.signer.verifier, self.now)
        self.keeper = RecordKeeper(
            PostgresRecordTree(recorder), self.signer, witness, self.now, self.alarm
        )
        self.key = home / "record" / "log.key"
        self.earlier = ""

    def now(self) -> datetime:
        return self.clock[0]

    async def alarm(self, action: str, why: str) -> None:
        raise AssertionError((action, why))

    async def checkpoint(self) -> str:
        self.clock[0] += timedelta(minutes=2)
        await self.keeper.look()
        return (self.home / "witness" / "checkpoint").read_text()

    def exporter(self, source=None) -> EvidenceExporter:
        found = source or PostgresEvidence(self.recorder)
        return EvidenceExporter(found, self.signer, rfc8785.dumps, self.key.read_text())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def record(postgres, database_name, tmp_path_factory):
    database = Database(postgres.url(Role.APP, database_name))
    recorder = Database(postgres.url(Role.RECORDER, database_name))
    admin = Database(postgres.url(Role.ADMIN, database_name))
    for account in ("company", "director-1"):
        state = AccountState(account, "tests", limits=LIMITS)
        await create_account(admin, state, "director", START)
    journal = PostgresJournal(database)
    found = Evidence(recorder, tmp_path_factory.mktemp("evidence"))

    async def write(count: int) -> None:
        for number in range(count):
            account = ("company", "director-1")[number % 2]
            await journal.audit(account, "aether", "halted", {"n": f'{number} "ü'}, "why")

    await write(7)
    found.earlier = await found.checkpoint()
    await write(16)
    await found.checkpoint()
    yield found
    for used in (database, recorder, admin):
        await used.close()


@pytest.fixture(scope="session")
def verifier(tmp_path_factory) -> Path:
    """Build the foreign verifier; where Go or its modules cannot be had, nothing is verified."""
    if shutil.which("go") is None:
        absent("Go is not installed: packs are not verified by foreign code here")
    program = tmp_path_factory.mktemp("verifier") / "evidence"
    built = subprocess.run(
        ["go", "build", "-mod=readonly", "-o", str(program), "."],
        cwd=VERIFIER,
        env=os.environ | {"CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode and "dial tcp" in built.stderr:
        absent("Go's modules cannot be had: packs are not verified by foreign code here")
    assert built.returncode == 0, built.stderr
    return program


def verify(verifier: Path, pack: Path, key: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(verifier), str(pack), str(key)], capture_output=True, text=True, check=False
    )


async def test_foreign_code_verifies_every_row_and_the_growth(record, verifier, tmp_path):
    done = await record.exporter().export(
        DirectoryTarget(tmp_path), Selection(), previous=record.earlier
    )
    told = verify(verifier, tmp_path, record.key)
    assert told.returncode == 0, told.stderr
    assert f"verified: {done.rows} rows" in told.stdout
    assert "grown from" in told.stdout
    assert done.rows == done.tree_size >= 23


async def test_pack_of_one_account_holds_its_rows_alone(record, verifier, tmp_path):
    await record.exporter().export(DirectoryTarget(tmp_path), Selection(account="company"))
    told = verify(verifier, tmp_path, record.key)
    assert told.returncode == 0, told.stderr
    lines = (tmp_path / "rows" / "000001.jsonl").read_text().splitlines()
    contents = [base64.b64decode(json.loads(line)["content"]) for line in lines]
    assert contents
    assert all(b",7:company," in content for content in contents)


def _row(pack: Path, change) -> None:
    file = pack / "rows" / "000001.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    change(lines)
    file.write_bytes(b"".join(rfc8785.dumps(line) + b"\n" for line in lines))


def _edited(lines) -> None:
    content = base64.b64decode(lines[3]["content"]).replace(b"halted", b"resume")
    lines[3]["content"] = base64.b64encode(content).decode()


TAMPERS = {
    "row-edited": lambda pack: _row(pack, _edited),
    "row-deleted": lambda pack: _row(pack, lambda lines: lines.pop(2)),
    "rows-swapped": lambda pack: _row(pack, lambda lines: lines.reverse()),
    "manifest-edited": lambda pack: (pack / "manifest.json").write_bytes(
        (pack / "manifest.json").read_bytes().replace(b'"rows":"', b'"rows":"1')
    ),
    "file-missing": lambda pack: (pack / "RECIPE.md").unlink(),
    "checkpoint-of-another-size": lambda pack: (pack / "checkpoint").write_text(
        (pack / "checkpoint").read_text().replace("\n", "\n1", 1)
    ),
}


@pytest.mark.parametrize("name", TAMPERS)
async def test_foreign_code_finds_what_was_changed(record, verifier, tmp_path, name):
    await record.exporter().export(DirectoryTarget(tmp_path), Selection())
    TAMPERS[name](tmp_path)
    told = verify(verifier, tmp_path, record.key)
    assert told.returncode == 1
    assert "NOT VERIFIED" in told.stderr


async def test_row_that_is_edited_with_all_hashes_of_the_pack_made_anew_is_found(
    record, verifier, tmp_path
):
    """Who holds the pack but not the log's key cannot make another one of it."""
    await record.exporter().export(DirectoryTarget(tmp_path), Selection())
    _row(tmp_path, _edited)
    listed = json.loads((tmp_path / "manifest.json").read_text())
    content = (tmp_path / "rows" / "000001.jsonl").read_bytes()
    entry = next(one for one in listed["files"] if one["name"].startswith("rows/"))
    from models.trading.governance.record.evidence import PackFile, manifest_statement

    entry["sha256"] = PackFile.of("rows", content).sha256
    entry["size"] = len(content)
    changed = rfc8785.dumps(listed)
    (tmp_path / "manifest.json").write_bytes(changed)
    thief = LogSigner(bytes(32), tmp_path / "thief", record.signer.name)
    statement = manifest_statement(record.signer.name, changed)
    (tmp_path / "manifest.note").write_text(thief.signed_statement(statement))
    assert verify(verifier, tmp_path, record.key).returncode == 1
    # Even signed by the log itself, for example by a stolen key: the tree does not hold that row.
    (tmp_path / "manifest.note").write_text(record.signer.signed_statement(statement))
    told = verify(verifier, tmp_path, record.key)
    assert told.returncode == 1
    assert "000001.jsonl" in told.stderr


class Dying(PostgresEvidence):
    """Reads two files of rows and dies."""

    calls = 0

    async def proven_rows(self, *words):
        self.calls += 1
        if self.calls > 2:
            raise OSError("killed")
        return await super().proven_rows(*words)


async def test_interrupted_pack_goes_on_with_its_own_checkpoint(
    record, verifier, tmp_path, monkeypatch
):
    monkeypatch.setattr(evidence, "ROWS_A_FILE", 5)
    target = DirectoryTarget(tmp_path)
    with pytest.raises(OSError, match="killed"):
        await record.exporter(Dying(record.recorder)).export(target, Selection())
    assert verify(verifier, tmp_path, record.key).returncode == 1
    begun = (tmp_path / "rows" / "000001.jsonl").stat().st_mtime_ns
    done = await record.exporter().export(target, Selection())
    assert done.resumed
    assert (tmp_path / "rows" / "000001.jsonl").stat().st_mtime_ns == begun
    told = verify(verifier, tmp_path, record.key)
    assert told.returncode == 0, told.stderr
    with pytest.raises(PackRefusedError):
        await record.exporter().export(target, Selection(account="company"))


async def test_same_selection_makes_the_same_bytes(record, tmp_path):
    for name in ("a", "b"):
        await record.exporter().export(DirectoryTarget(tmp_path / name), Selection())
    files = [
        {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in (tmp_path / name).rglob("*")
         if p.is_file()}
        for name in ("a", "b")
    ]  # fmt: skip
    assert files[0] == files[1]


async def test_pack_in_a_bucket_is_the_one_of_a_directory(record, verifier, tmp_path, monkeypatch):
    from moto.server import ThreadedMotoServer

    port = free_block()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    await asyncio.to_thread(server.start)
    try:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "tests",
            "AWS_SECRET_ACCESS_KEY": "tests",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
        }.items():
            monkeypatch.setenv(name, value)
        import boto3

        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}")
        await asyncio.to_thread(client.create_bucket, Bucket="evidence")
        target = pack_target("s3://evidence/2026/march")
        assert isinstance(target, BucketTarget)
        await record.exporter().export(target, Selection())
        listed = await asyncio.to_thread(client.list_objects_v2, Bucket="evidence")
        for one in listed["Contents"]:
            file = tmp_path / one["Key"].removeprefix("2026/march/")
            file.parent.mkdir(parents=True, exist_ok=True)
            answer = await asyncio.to_thread(client.get_object, Bucket="evidence", Key=one["Key"])
            file.write_bytes(answer["Body"].read())
        told = verify(verifier, tmp_path, record.key)
        assert told.returncode == 0, told.stderr
        with pytest.raises(OSError, match="cannot be written"):
            await BucketTarget("nowhere", "", f"http://127.0.0.1:{port}").write("a", b"b")
    finally:
        await asyncio.to_thread(server.stop)


class Full(DirectoryTarget):
    """A disk that is full for a while."""

    full = False

    async def write(self, name: str, content: bytes) -> None:
        if self.full and name.startswith("rows/"):
            raise OSError("no room")
        await super().write(name, content)


async def test_scheduled_packs_follow_on_each_other_and_go_on_after_a_failure(
    record, verifier, tmp_path
):
    clock, place = [datetime(2026, 3, 2, 10, 30, tzinfo=UTC)], tmp_path / "packs"
    packs = ScheduledPacks(
        DirectoryTarget(place),
        lambda name: Full(place / name),
        record.exporter(),
        timedelta(hours=24),
        lambda: clock[0],
    )
    Full.full = True
    with pytest.raises(OSError, match="no room"):
        await packs.look()
    clock[0] += timedelta(hours=30)  # the next one would be due, and the first is not made yet
    Full.full = False
    first = await packs.look()
    assert verify(verifier, place / "2026-03-02T0000Z", record.key).returncode == 0
    await record.checkpoint()
    second = await packs.look()
    told = verify(verifier, place / "2026-03-03T0000Z", record.key)
    assert told.returncode == 0, told.stderr
    assert f"grown from {first.tree_size}" in told.stdout
    assert first.rows + second.rows == second.tree_size
    assert await packs.look() is None


async def test_pack_that_cannot_be_made_is_told_once_and_tried_again(tmp_path):
    tried, told, stop = [], [], asyncio.Event()

    def compose():
        tried.append(1)
        if len(tried) == 4:
            stop.set()
        raise OSError("nowhere to write")

    async def alarm(reason: str) -> None:
        told.append(reason)
        if len(told) == 1:
            raise ConnectionError("nobody takes it")

    await asyncio.wait_for(keep_packs(compose, alarm, stop, timedelta(milliseconds=1)), 20)
    assert told == ["nowhere to write"] * 2


@pytest.mark.parametrize("place", ["s3:///x", "ftp://host/x", "https://host/x"])
def test_place_that_is_neither_a_directory_nor_a_bucket_is_refused(place):
    with pytest.raises(ConfigurationError):
        pack_target(place)


def test_canonical_json_is_that_of_rfc_8785():
    """Examples of the RFC's sections 3.2.2 and 3.2.3."""
    numbers = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001]}
    assert rfc8785.dumps(numbers) == b'{"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'
    keys = {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew", "1": "One",
            "\U0001f600": "Smiley", "\u0080": "Control", "\u00f6": "o"}  # fmt: skip
    ordered = list(json.loads(rfc8785.dumps(keys)).values())
    assert ordered == [
        "Carriage Return", "One", "Control", "o", "Euro Sign", "Smiley", "Hebrew",
    ]  # fmt: skip
