"""Seeing every packet that a program sends beyond this machine, without any privilege.

In a network namespace of its own whose only device is the loopback, and where every address of the
world is routed to that device, whatever is sent is really sent, arrives nowhere, and is seen.
"""

import json
import shutil
import socket
import subprocess
import threading
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).parents[2]
ALL_PROTOCOLS = 0x0003
IPV4, IPV6 = b"\x08\x00", b"\x86\xdd"
PREPARE = (
    "ip link set lo up && ip route add local default dev lo && ip -6 route add local default dev lo"
)
OUTSIDE = ("198.51.100.7", 9)
"""An address that is for documentation only (RFC 5737)."""


def namespace_words() -> list[str] | None:
    """Return what runs a program in such a namespace, None where the system forbids it."""
    if not all(shutil.which(word) for word in ("unshare", "ip", "sh")):
        return None
    words = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c", f'{PREPARE} && exec "$@"']
    words.append("sh")
    tried = subprocess.run([*words, "true"], capture_output=True, check=False)
    return words if tried.returncode == 0 else None


def run_watched(module: str, *arguments: str, python: str) -> dict[str, object]:
    """Run a module that prints JSON, inside a namespace where that is possible."""
    words = namespace_words()
    command = [*(words or []), python, "-m", module, *arguments]
    if words is not None:
        command.append("--watch-packets")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise AssertionError(done.stderr)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


class PacketWatch:
    """Collects the destinations of all packets that are not for the loopback addresses."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self._socket.settimeout(0.2)
        self._running = True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def prove_itself(self) -> bool:
        """Send one packet outside and tell whether it was seen; it is forgotten again."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"?", OUTSIDE)
        self.stop()
        found = OUTSIDE[0] in self.seen
        self.seen.discard(OUTSIDE[0])
        return found

    def stop(self) -> None:
        """Take in what is still under way, then end."""
        self._running = False
        self._thread.join()
        self._socket.close()

    def _watch(self) -> None:
        while True:
            try:
                frame = self._socket.recv(65535)
            except TimeoutError:
                # Quiet for a while: nothing more is under way.
                if not self._running:
                    return
                continue
            destination = _destination(frame)
            if destination is not None and not ip_address(destination).is_loopback:
                self.seen.add(destination)


def _destination(frame: bytes) -> str | None:
    kind, packet = frame[12:14], frame[14:]
    if kind == IPV4:
        return socket.inet_ntop(socket.AF_INET, packet[16:20])
    if kind == IPV6:
        return socket.inet_ntop(socket.AF_INET6, packet[24:40])
    return None
