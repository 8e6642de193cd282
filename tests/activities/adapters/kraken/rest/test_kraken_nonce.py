import tempfile
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.kraken.rest.nonce import (
    FileKeyLock,
    FileNonceStore,
    NonceCounter,
    SeveralLocks,
    key_fingerprint,
)
from activities.ports.exchange_errors import KeyInUseError
from infra.runtime.cache_directory import keys_in_use
from workers.keys.custody import key_lock


class MemoryStore:
    def __init__(self) -> None:
        self.mark = 0
        self.saves = 0

    def load(self) -> int:
        return self.mark

    def save(self, high_water: int) -> None:
        self.mark = high_water
        self.saves += 1


@given(
    st.lists(
        st.tuples(st.integers(-(10**13), 10**13), st.integers(1, 5), st.booleans()), max_size=60
    )
)
def test_nonces_rise_across_restarts_and_a_clock_that_steps_back(steps):
    now = 10**18
    store = MemoryStore()
    drawn = []

    def clock() -> int:
        return now

    counter = NonceCounter(store, clock)
    for jump, draws, restart in steps:
        now = max(0, now + jump)
        if restart:
            counter = NonceCounter(store, clock)
        drawn += [counter.next() for _ in range(draws)]
    assert drawn == sorted(set(drawn))
    assert all(nonce < 2**64 for nonce in drawn)
    assert not drawn or drawn[-1] <= store.mark


def test_nonces_of_many_threads_are_distinct_and_ordered_within_each(tmp_path):
    counter = NonceCounter(FileNonceStore(tmp_path / "key.nonce"), lambda: 1_000)
    drawn: list[list[int]] = [[] for _ in range(8)]

    def draw(own: list[int]) -> None:
        own.extend(counter.next() for _ in range(500))

    threads = [threading.Thread(target=draw, args=(own,)) for own in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({nonce for own in drawn for nonce in own}) == 4_000
    assert all(own == sorted(own) for own in drawn)


def test_a_block_is_stored_before_its_first_nonce_and_seldom():
    store = MemoryStore()
    counter = NonceCounter(store)
    drawn = [counter.next() for _ in range(1_000)]
    assert store.saves == 1
    assert store.mark >= drawn[-1]


def test_an_unreadable_mark_is_refused_rather_than_guessed(tmp_path):
    path = tmp_path / "key.nonce"
    path.write_text("torn")
    with pytest.raises(ValueError, match="torn"):
        NonceCounter(FileNonceStore(path))


def test_a_second_user_of_a_key_is_refused_until_the_first_has_left(tmp_path):
    first, second = FileKeyLock(tmp_path / "key.lock"), FileKeyLock(tmp_path / "key.lock")
    first.acquire()
    with pytest.raises(KeyInUseError):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_fingerprint_does_not_tell_the_key():
    assert "secret-key" not in key_fingerprint("secret-key")
    assert key_fingerprint("a") != key_fingerprint("b")


def test_a_key_is_refused_to_a_copy_of_the_installation_elsewhere(tmp_path):
    def lock_of(home: str) -> SeveralLocks:
        machine = FileKeyLock(tmp_path / "machine" / "key.lock")
        return SeveralLocks(FileKeyLock(tmp_path / home / "key.lock"), machine)

    original, copy = lock_of("original"), lock_of("copy")
    original.acquire()
    with pytest.raises(KeyInUseError):
        copy.acquire()
    original.release()
    # The attempt has left nothing locked behind.
    copy.acquire()
    with pytest.raises(KeyInUseError):
        original.acquire()
    copy.release()
    original.acquire()
    original.release()


def test_a_key_whose_lock_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "machine").write_text("a file where a directory is to be")
    own, machine = tmp_path / "own" / "key.lock", tmp_path / "machine" / "key.lock"
    with pytest.raises(KeyInUseError, match="nobody can tell"):
        SeveralLocks(FileKeyLock(own), FileKeyLock(machine)).acquire()
    FileKeyLock(own).acquire()


def test_a_user_without_a_cache_locks_keys_under_tmp(tmp_path, monkeypatch):
    blocked = tmp_path / "no-home"
    blocked.write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first = key_lock(tmp_path / "first", "fingerprint")
    first.acquire()
    with pytest.raises(KeyInUseError):
        key_lock(tmp_path / "second", "fingerprint").acquire()
    first.release()
    place = keys_in_use()
    assert place.parent == tmp_path
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        keys_in_use()


def test_every_installation_of_a_user_locks_a_key_at_the_same_place(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = key_lock(tmp_path / "first", "fingerprint")
    first.acquire()
    with pytest.raises(KeyInUseError):
        key_lock(tmp_path / "second", "fingerprint").acquire()
    first.release()
