"""A standby lets the active process have the cores first, and goes on at once when it dies."""

import asyncio
import fcntl
import os
import threading
import time

from workers import delayed_start
from workers.delayed_start import held_seconds, is_held, wait
from workers.standby import LeaderLock


def test_free_lock_is_no_reason_to_wait(tmp_path):
    started = time.monotonic()
    wait(tmp_path / "lock", expect=False, settling=60)
    assert time.monotonic() - started < 10


def test_held_lock_is_waited_for_until_its_holder_has_settled(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        started = time.monotonic()
        wait(path, expect=True, settling=0.2)
        assert time.monotonic() - started >= 0.2
        assert is_held(path)
    assert not is_held(path)


def test_death_of_the_holder_ends_the_wait(tmp_path, monkeypatch):
    path = tmp_path / "lock"
    holder = path.open("w")
    fcntl.flock(holder, fcntl.LOCK_EX)
    seen = threading.Event()

    def look(lock):
        held = is_held(lock)
        if held:
            seen.set()
        return held

    monkeypatch.setattr(delayed_start, "is_held", look)
    waiting = threading.Thread(target=wait, args=(path,), kwargs={"expect": True, "settling": 60})
    waiting.start()
    assert seen.wait(20)
    holder.close()
    waiting.join(20)
    assert not waiting.is_alive()


def test_first_start_expects_another_but_not_for_ever(tmp_path):
    started = time.monotonic()
    wait(tmp_path / "lock", expect=True, settling=0, expecting=0.2)
    assert time.monotonic() - started >= 0.2


def test_holder_that_has_settled_already_is_not_waited_for(tmp_path):
    path = tmp_path / "lock"
    with path.open("w") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        a_minute_ago = time.time() - 60
        os.utime(path, (a_minute_ago, a_minute_ago))
        started = time.monotonic()
        wait(path, expect=True, settling=30)
        assert time.monotonic() - started < 10


async def test_lock_tells_since_when_it_is_held(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    os.utime(path, (0, 0))
    sole = LeaderLock(path)
    assert await sole.acquire(asyncio.Event())
    assert held_seconds(path) < 30
    sole.release()
