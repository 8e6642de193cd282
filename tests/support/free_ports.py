"""Blocks of ports for a platform of a test's own, whatever else runs on the machine."""

import os
import socket

BLOCK = 20
FIRST, LAST = 21_500, 31_500
"""Below the range from which the kernel takes ports for outgoing connections."""

_held: list[socket.socket] = []


def free_block() -> int:
    """Return the first port of twenty that nobody uses; they stay this process's own.

    The last port of the block is listened to until the process ends: another test process passes
    over the block even while nothing else of it is in use.

    Raises:
        OSError: there is no such block.
    """
    blocks = (LAST - FIRST) // BLOCK
    for turn in range(blocks):
        base = FIRST + BLOCK * ((os.getpid() + turn) % blocks)
        try:
            guard = _bound(base + BLOCK - 1)
        except OSError:
            continue
        try:
            for port in range(base, base + BLOCK - 1):
                _bound(port).close()
        except OSError:
            guard.close()
            continue
        guard.listen()
        _held.append(guard)
        return base
    raise OSError(f"no {BLOCK} free ports in a row between {FIRST} and {LAST}")


def _bound(port: int) -> socket.socket:
    found = socket.socket()
    try:
        found.bind(("127.0.0.1", port))
    except OSError:
        found.close()
        raise
    return found
