"""Which user of this machine is at the other end of a loopback TCP connection (Linux).

The kernel lists every socket with its owner in ``/proc/net/tcp`` and ``/proc/net/tcp6``. For a
connection over loopback both ends are in the list, so the other end's owner can be read there, as
``identd`` does. Nothing is kept: numbers of ports are given anew.
"""

import os
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
# Established, or closed by one side only. Others have no owner any more, and the kernel then shows
# user 0, who is somebody.
OWNED_STATES = frozenset({"01", "04", "05", "08"})
NO_INODE = "0"

Address = tuple[str, int]


def is_own_user(
    own: Address, peer: Address, lines: Callable[[], Iterator[str]] | None = None
) -> bool:
    """Tell whether the process at the other end of a loopback connection runs as our user.

    False whenever that is not certain: no loopback, no such table, no such row, another user.

    Args:
        own: address and port of this end, as ``getsockname`` gives them.
        peer: those of the other end.
        lines: the kernel's rows, for tests.
    """
    user = user_of_peer(own, peer, lines or _rows)
    return user is not None and user == os.geteuid()


def user_of_peer(own: Address, peer: Address, lines: Callable[[], Iterator[str]]) -> int | None:
    """Return the user id behind the other end, None when it cannot be told."""
    try:
        if not all(_plain(address).is_loopback for address, _ in (own, peer)):
            return None
        wanted = {(_hexadecimal(peer, wide), _hexadecimal(own, wide)) for wide in (False, True)}
        found = {row for line in lines() if (row := _owner(line, wanted)) is not None}
    except (OSError, ValueError, IndexError):
        return None
    return found.pop() if len(found) == 1 else None


def _owner(line: str, wanted: set[tuple[str, str]]) -> int | None:
    # proc_net_tcp: number, local, remote, state, queues, timer, retransmits, user, timeout, inode
    fields = line.split()
    if len(fields) < 10 or (fields[1], fields[2]) not in wanted:
        return None
    if fields[3] not in OWNED_STATES or fields[9] == NO_INODE:
        return None
    return int(fields[7])


def _rows() -> Iterator[str]:
    for table in TABLES:
        if table.exists():
            yield from table.read_text().splitlines()[1:]


def _plain(address: str) -> IPv4Address | IPv6Address:
    found = ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _hexadecimal(address: Address, wide: bool) -> str:
    """Write an address as the kernel does: words of four bytes in the machine's own order."""
    plain = _plain(address[0])
    if isinstance(plain, IPv6Address):
        packed = plain.packed
    else:
        packed = socket.inet_pton(socket.AF_INET6, f"::ffff:{plain}") if wide else plain.packed
    words = struct.unpack(f">{len(packed) // 4}I", packed)
    order = "<" if sys.byteorder == "little" else ">"
    text = b"".join(struct.pack(f"{order}I", word) for word in words).hex().upper()
    return f"{text}:{address[1]:04X}"
