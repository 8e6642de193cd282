"""Chunks open in their own place only, and streams come back as they were."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.backup import sealing
from infra.backup.errors import DamagedBackupError
from infra.backup.sealing import ChunkReader, ChunkWriter, chunk_name, seal, unseal

KEY = bytes(range(32))


class Memory:
    """A store of objects in memory."""

    def __init__(self):
        self.objects = {}

    def put(self, name, content):
        self.objects[name] = content

    def get(self, name):
        try:
            return self.objects[name]
        except KeyError:
            raise DamagedBackupError(f"{name} is missing") from None


def written(store, content, part="record", backup="one", pieces=1000):
    writer = ChunkWriter(store, backup, part, KEY)
    for start in range(0, len(content), pieces):
        writer.write(content[start : start + pieces])
    writer.close()
    return writer.chunks


def read(store, chunks, part="record", backup="one"):
    return ChunkReader(store, backup, part, KEY, chunks).readall()


@given(size=st.integers(0, 200), chunk=st.integers(1, 64), pieces=st.integers(1, 50))
def test_a_stream_comes_back_whatever_the_chunks(size, chunk, pieces):
    content = os.urandom(size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "CHUNK_BYTES", chunk)
        store = Memory()
        chunks = written(store, content, pieces=pieces)
        assert read(store, chunks) == content
        assert chunks == max(1, -(-size // chunk))


@pytest.fixture
def three(monkeypatch):
    monkeypatch.setattr(sealing, "CHUNK_BYTES", 10)
    store = Memory()
    assert written(store, b"a" * 30) == 3
    return store


@pytest.mark.parametrize("bit", [0, 95, 96, 100, -1])
def test_a_flipped_bit_is_named(three, bit):
    name = chunk_name("one", "record", 1)
    content = bytearray(three.objects[name])
    content[bit // 8 if bit >= 0 else -1] ^= 1 << (bit % 8)
    three.objects[name] = bytes(content)
    with pytest.raises(DamagedBackupError, match=r"one/record\.000001 was altered"):
        read(three, 3)


def test_a_missing_chunk_is_named(three):
    del three.objects[chunk_name("one", "record", 2)]
    with pytest.raises(DamagedBackupError, match=r"one/record\.000002 is missing"):
        read(three, 3)


def test_a_chunk_in_the_place_of_another_does_not_open(three):
    first, second = (chunk_name("one", "record", n) for n in (0, 1))
    objects = three.objects
    objects[first], objects[second] = objects[second], objects[first]
    with pytest.raises(DamagedBackupError, match=r"one/record\.000000"):
        read(three, 3)


@pytest.mark.parametrize(("backup", "part"), [("two", "record"), ("one", "temporal")])
def test_a_chunk_of_another_backup_or_part_does_not_open(three, backup, part):
    other = chunk_name(backup, part, 0)
    written(three, b"b" * 10, part, backup)
    three.objects[chunk_name("one", "record", 0)] = three.objects[other]
    with pytest.raises(DamagedBackupError):
        read(three, 3)


def test_the_same_content_is_never_sealed_the_same_way():
    assert seal(KEY, "place", b"same") != seal(KEY, "place", b"same")
    assert unseal(KEY, "place", seal(KEY, "place", b"same")) == b"same"
