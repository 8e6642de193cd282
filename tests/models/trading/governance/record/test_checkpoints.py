"""Checkpoints and signed notes: texts, signatures, what a witness accepts, when one is due."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.runtime.errors import StateError
from infra.runtime.note_keys import LOG, WITNESS, NoteSigner, verifier_of
from models.trading.governance.record.cadence import due_reason, protection_fault
from models.trading.governance.record.checkpoints import (
    Checkpoint,
    CheckpointError,
    NoteSignature,
    SignedNote,
    checkpoint_of,
    note_of,
)
from models.trading.governance.record.merkle import EMPTY_ROOT, leaf_hash, root
from models.trading.governance.record.witnessing import Remembered, objection

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHECKPOINT = Checkpoint("aether/test/record", 3, bytes(range(32)))
LEAVES = [leaf_hash(bytes([number])) for number in range(8)]

GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd"
    "ngotpRZb6KE6RyyBwJnAM=\n"
)
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
"""The example of golang.org/x/mod/sumdb/note's documentation."""


def test_a_note_of_the_go_implementation_verifies():
    verifier = verifier_of(GO_KEY)
    assert verifier.text() == GO_KEY
    assert verifier.signed_at(note_of(GO_NOTE)) is not None
    assert verifier.signed_at(note_of(GO_NOTE.replace("answer", "anwser"))) is None


def test_a_key_of_another_hash_is_refused():
    with pytest.raises(StateError, match="hash"):
        verifier_of(GO_KEY.replace("c74f20a3", "c74f20a4"))


@pytest.mark.parametrize("kind", [LOG, WITNESS])
def test_what_is_signed_verifies_and_nothing_else(kind):
    signer = NoteSigner("aether/test/record", kind, bytes(range(32)))
    other = NoteSigner("aether/test/record", kind, bytes(range(1, 33)))
    note = SignedNote(CHECKPOINT.text(), (signer.sign(CHECKPOINT.text(), NOW),))
    expected = NOW if kind == WITNESS else datetime.fromtimestamp(0, UTC)
    assert signer.verifier.signed_at(note_of(note.note())) == expected
    assert other.verifier.signed_at(note) is None
    forged = SignedNote(CHECKPOINT.text().replace("3", "4"), note.signatures)
    assert signer.verifier.signed_at(forged) is None


def test_a_cosignature_signs_its_time():
    signer = NoteSigner("w", WITNESS, bytes(range(32)))
    line = signer.sign(CHECKPOINT.text(), NOW)
    later = int((NOW + timedelta(hours=1)).timestamp()).to_bytes(8) + line.signature[8:]
    moved = SignedNote(CHECKPOINT.text(), (NoteSignature("w", line.key_hash, later),))
    assert signer.verifier.signed_at(moved) is None


@given(st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_written(size, hashed):
    checkpoint = Checkpoint("aether/test/record", size, hashed)
    assert checkpoint_of(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "a\n01\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "a\n-1\n" + base64.b64encode(bytes(32)).decode() + "\n",
        "a\n1\n" + base64.b64encode(bytes(31)).decode() + "\n",
        "a\n1\n" + base64.b64encode(bytes(32)).decode(),
        "\n1\n" + base64.b64encode(bytes(32)).decode() + "\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(CheckpointError):
        checkpoint_of(text)


@pytest.mark.parametrize(
    "note",
    ["", "text\n", "text\n\nname AAAAAAA=\n", "text\n\n\u2014 name AAAA\n", "t\n\n\u2014 n\n"],
)
def test_what_is_no_note_is_refused(note):
    with pytest.raises(CheckpointError):
        note_of(note)


@pytest.mark.parametrize(
    ("remembered", "old", "size", "words"),
    [
        (Remembered(4, root(LEAVES[:4])), 4, 3, "rows were cut off"),
        (Remembered(4, root(LEAVES[:4])), 2, 8, "proven from 4"),
        (Remembered(4, root(LEAVES[1:5])), 4, 8, "no longer what they were"),
        (Remembered(4, root(LEAVES[1:5])), 4, 4, "no longer what they were"),
    ],
)
def test_a_witness_refuses_what_did_not_grow(remembered, old, size, words):
    shown = Checkpoint("log", size, root(LEAVES[:size]))
    assert words in objection(remembered, old, [root(LEAVES[4:8])], shown)


def test_a_witness_accepts_growth_and_what_stayed_the_same():
    shown = Checkpoint("log", 8, root(LEAVES))
    four = Remembered(4, root(LEAVES[:4]))
    assert objection(four, 4, [root(LEAVES[4:8])], shown) == ""
    assert objection(Remembered(8, root(LEAVES)), 8, [], shown) == ""
    assert objection(Remembered(0, EMPTY_ROOT), 0, [], shown) == ""


@pytest.mark.parametrize(
    ("size", "actions", "last_at", "reason"),
    [
        (5, [], None, "start"),
        (5, [], NOW - timedelta(seconds=59), ""),
        (5, [], NOW - timedelta(seconds=60), "minute"),
        (5, [], NOW + timedelta(seconds=1), "minute"),
        (1004, [], NOW, ""),
        (1005, [], NOW, "rows"),
        (6, ["trade_opened"], NOW, ""),
        (6, ["going_live_approved", "trade_opened"], NOW, "going_live_approved"),
    ],
)
def test_when_a_checkpoint_is_due(size, actions, last_at, reason):
    assert due_reason(size, frozenset(actions), 5, last_at, NOW) == reason


@pytest.mark.parametrize(
    ("cosigned_at", "words"),
    [
        (None, "no checkpoint"),
        (NOW - timedelta(minutes=5), ""),
        (NOW - timedelta(minutes=7), "7 min old"),
        (NOW + timedelta(minutes=6), "future"),
    ],
)
def test_how_long_a_checkpoint_protects(cosigned_at, words):
    fault = protection_fault(cosigned_at, NOW)
    assert words in fault
    assert bool(fault) is bool(words)
