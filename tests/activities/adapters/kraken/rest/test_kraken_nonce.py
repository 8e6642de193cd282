import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.kraken.errors import KeyInUseError
from activities.adapters.kraken.rest.nonce import (
    FileKeyLock,
    FileNonceStore,
    NonceCounter,
    key_fingerprint,
)


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
