"""A witness on another machine: cosigns growth, refuses everything else, and is not believed."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from aiohttp import web

from activities.adapters.record.file_witness import FileWitness
from activities.adapters.record.http_witness import HttpWitness
from activities.adapters.record.signer import LogSigner, log_key, log_name
from activities.adapters.record.witness_service import witness_application
from activities.ports.record import (
    Integrated,
    StoredCheckpoint,
    WitnessRefusedError,
    WitnessUnavailableError,
)
from activities.record.keeper import RecordKeeper
from infra.runtime.errors import StateError
from infra.runtime.note_keys import LOG, NoteSigner, verifier_of
from infra.runtime.secrets import local_secrets
from models.trading.governance.record.checkpoints import note_of
from models.trading.governance.record.merkle import consistency_ranges, leaf_hash, proof, root
from tests.support.receivers import receiver

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Log:
    """A log of leaves with its key."""

    def __init__(self, home) -> None:
        self.signer = LogSigner(
            log_key(local_secrets(home / "secrets").create(), home),
            home / "record",
            log_name("tests"),
        )
        self.leaves: list[bytes] = []

    def grow(self, count: int, word: str = "leaf") -> None:
        self.leaves += [leaf_hash(f"{word} {n}".encode()) for n in range(count)]

    def note(self) -> str:
        return self.signer.signed(len(self.leaves), root(self.leaves), AT)

    def proof(self, old: int) -> list[bytes]:
        def hash_of(node):
            start = node.index << node.level
            return root(self.leaves[start : start + (1 << node.level)])

        return proof(consistency_ranges(old, len(self.leaves)), hash_of)


@asynccontextmanager
async def served(application):
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def watching(log: Log, home):
    far = FileWitness(home / "far", log.signer.verifier, lambda: AT)
    async with served(witness_application(far, log.signer.verifier)) as url:
        yield HttpWitness(url, far.verifier, home / "far-witness"), url, far


async def ask(witness, log) -> str:
    old = await witness.cosigned_size()
    return await witness.cosign(old, log.proof(old), log.note())


async def test_growth_is_cosigned_with_a_signature_that_verifies(tmp_path):
    log = Log(tmp_path)
    async with watching(log, tmp_path) as (witness, _, far):
        for _ in range(3):
            log.grow(5)
            line = await ask(witness, log)
            assert far.verifier.signed_at(note_of(log.note() + line)) == AT
        assert await witness.cosigned_size() == 15


async def test_rewritten_log_is_refused_and_so_is_a_shorter_one(tmp_path):
    log = Log(tmp_path)
    log.grow(8)
    async with watching(log, tmp_path) as (witness, _, far):
        await ask(witness, log)
        log.leaves[3] = leaf_hash(b"other")
        log.grow(2)
        with pytest.raises(WitnessRefusedError, match="no longer what they were"):
            await ask(witness, log)
        log.leaves = log.leaves[:5]
        with pytest.raises(WitnessRefusedError):
            await witness.cosign(0, [], log.note())
        assert await far.cosigned_size() == 8


async def test_sender_that_forgot_what_was_cosigned_learns_it_and_goes_on(tmp_path):
    log = Log(tmp_path)
    log.grow(8)
    async with watching(log, tmp_path) as (witness, _, _far):
        await ask(witness, log)
        (tmp_path / "far-witness").unlink()
        log.grow(3)
        with pytest.raises(WitnessUnavailableError, match="knows 8 rows"):
            await ask(witness, log)
        assert await ask(witness, log)


async def test_checkpoint_of_another_key_or_log_is_refused(tmp_path):
    log = Log(tmp_path)
    log.grow(2)
    async with watching(log, tmp_path) as (witness, _, _far):
        thief = NoteSigner(log.signer.name, LOG, bytes(32))
        text = note_of(log.note()).text
        note = text + "\n" + thief.sign(text, AT).line()
        with pytest.raises(WitnessRefusedError, match="403"):
            await witness.cosign(0, [], note)


async def test_signature_of_somebody_else_is_not_taken_for_the_witness(tmp_path):
    log, other = Log(tmp_path), Log(tmp_path / "other")
    log.grow(2)
    other.grow(2)
    async with watching(log, tmp_path) as (_, url, _far):
        foreign = FileWitness(tmp_path / "foreign", log.signer.verifier, lambda: AT)
        witness = HttpWitness(url, foreign.verifier, tmp_path / "m")
        with pytest.raises(WitnessRefusedError, match="known key"):
            await ask(witness, log)
        assert await witness.cosigned_size() == 0


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (500, WitnessUnavailableError),
        (404, WitnessUnavailableError),
        (422, WitnessRefusedError),
        (200, WitnessRefusedError),
    ],
)
async def test_odd_answers_are_no_cosignature(tmp_path, status, error):
    log = Log(tmp_path)
    log.grow(2)
    known = FileWitness(tmp_path / "far", log.signer.verifier, lambda: AT).verifier
    async with receiver() as server:
        server.answer(status)
        with pytest.raises(error):
            await ask(HttpWitness(server.url, known, tmp_path / "m"), log)
    with pytest.raises(WitnessUnavailableError):
        await ask(HttpWitness("http://127.0.0.1:9", known, tmp_path / "m"), log)


@pytest.mark.parametrize("body", ["", "old x\n\nnote", "old 1\n***\n\nnote", "old 0\n\nno note"])
async def test_witness_refuses_what_is_no_request(tmp_path, body):
    import aiohttp

    log = Log(tmp_path)
    async with watching(log, tmp_path) as (_, url, _far), aiohttp.ClientSession() as session:
        answer = await session.post(f"{url}/add-checkpoint", data=body.encode())
        assert answer.status == 400


def test_witness_elsewhere_is_asked_over_tls_only(tmp_path):
    log = Log(tmp_path)
    known = FileWitness(tmp_path / "far", log.signer.verifier, lambda: AT).verifier
    with pytest.raises(StateError):
        HttpWitness("http://witness.example", known, tmp_path / "m")
    with pytest.raises(StateError):
        HttpWitness("https://witness.example", log.signer.verifier, tmp_path / "m")


class Tree:
    """A stored tree over a log, without a database."""

    def __init__(self, log: Log) -> None:
        self.log, self.saved = log, []

    async def integrate(self) -> Integrated:
        return Integrated(len(self.log.leaves), frozenset(), complete=True)

    async def root(self, size: int) -> bytes:
        return root(self.log.leaves[:size])

    async def consistency(self, old: int, new: int) -> list[bytes]:
        assert new == len(self.log.leaves)
        return self.log.proof(old)

    async def save_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        self.saved.append(checkpoint)


async def test_checkpoint_counts_as_cosigned_only_when_both_witnesses_have_signed(tmp_path):
    log, alarms = Log(tmp_path), []
    log.grow(4)

    async def alarm(action: str, why: str) -> None:
        alarms.append(action)

    near = FileWitness(tmp_path / "near", log.signer.verifier, lambda: AT)
    tree = Tree(log)
    async with watching(log, tmp_path) as (far, _url, _):
        keeper = RecordKeeper(tree, log.signer, near, lambda: AT, alarm, [far])
        await keeper.look()
        assert [one.cosigned for one in tree.saved] == [True]
        assert len(note_of(tree.saved[0].note).signatures) == 3
    log.grow(1)
    away = RecordKeeper(tree, log.signer, near, lambda: AT, alarm, [far])
    await away.look()
    assert [one.cosigned for one in tree.saved] == [True, False]
    assert alarms == []
    assert verifier_of(near.verifier.text()) == near.verifier
