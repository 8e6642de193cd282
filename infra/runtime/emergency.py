"""The emergency stop: a way to stop entries that writes nothing before it works.

The kill switch's flag is a row of the database. Where the disk is full, the database down, or the
API does not answer, the trading process is told directly, over a socket that only its own user can
open; it stops in memory. What should outlive the process is written into a file whose room was
taken beforehand, so that a full disk has room for it; if even that fails the stop stands all the
same for as long as the process lives.
"""

import json
import os
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.trading.bounds import cleaned_text

ORDER_BYTES = 4_096
ANSWER_BYTES = 1_048_576
CALL_SECONDS = 5.0
REASON_LENGTH = 500
SOCKET_NAME = "stop.sock"
FILE_NAME = "emergency-stop"


class NotStoppedError(ConnectionError):
    """The trading process could not be told; whether the order was kept in the file is said."""


@dataclass(frozen=True, slots=True)
class StopOrder:
    """An order to stop entries; no ``accounts``: of all. ``at`` is ISO 8601 protocol time.

    ``recorded``: the flag of a kill switch stands in the record already; what is told is only that
    resting entries go at once, before the workflow engine has brought it to the accounts.
    """

    reason: str
    by: str
    at: str
    accounts: tuple[str, ...] = ()
    flatten: bool = False
    recorded: bool = False

    def concerns(self, account: str) -> bool:
        """Tell whether an account is to be stopped."""
        return not self.accounts or account in self.accounts

    def text(self) -> bytes:
        """Write the order as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False).encode(errors="replace") + b"\n"


def stop_now(reason: str, by: str, accounts: tuple[str, ...], *, flatten: bool) -> StopOrder:
    """Return an order to stop, given now; of all where the names would be too long to keep."""
    at = datetime.now(UTC).isoformat()
    order = StopOrder(reason[:REASON_LENGTH], by, at)
    return stop_like(order, accounts, flatten=flatten)


def widened(orders: Sequence[StopOrder]) -> StopOrder:
    """Return one order that stops whatever one of several stops: the file keeps one."""
    everybody = any(not order.accounts for order in orders)
    names = () if everybody else tuple(sorted({n for o in orders for n in o.accounts}))
    return stop_like(orders[-1], names, flatten=any(order.flatten for order in orders))


def stop_like(order: StopOrder, accounts: tuple[str, ...], *, flatten: bool) -> StopOrder:
    """Return the order for other accounts; of all where the names would be too long to keep."""
    other = replace(order, accounts=accounts, flatten=flatten)
    return other if len(other.text()) <= ORDER_BYTES else replace(other, accounts=())


def read_order(line: bytes) -> StopOrder:
    """Read an order.

    What the record could not keep is replaced: an order that cannot be recorded would stand in the
    way of all that come after it.

    Raises:
        ValueError: it is none.
    """
    try:
        told: dict[str, Any] = json.loads(line)
        return StopOrder(
            reason=cleaned_text(str(told["reason"]), REASON_LENGTH),
            by=cleaned_text(str(told["by"])),
            at=datetime.fromisoformat(told["at"]).isoformat(),
            accounts=tuple(cleaned_text(str(name)) for name in told["accounts"]),
            flatten=bool(told["flatten"]),
            recorded=told.get("recorded", False) is True,
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no order to stop: {error}") from error


class StopFile:
    """Keeps one order over a restart, in room that was taken before it is needed."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME

    def reserve(self) -> None:
        """Take the room; what is there stays. A disk that is full already is no reason to fail."""
        with suppress(OSError):
            if not self._path.exists() or self._path.stat().st_size < ORDER_BYTES:
                self.clear()

    def keep(self, order: StopOrder) -> bool:
        """Write the order in place; False where even that is impossible."""
        return self._write(order.text())

    def add(self, order: StopOrder) -> bool:
        """Keep the order beside the one that is kept already: neither lets go of the other."""
        kept = self.kept()
        return self.keep(order if kept is None else widened([kept, order]))

    def kept(self) -> StopOrder | None:
        """Return the order that is kept, None when there is none."""
        try:
            line = self._path.read_bytes().strip(b"\0 \n")
            return read_order(line) if line else None
        except (OSError, ValueError):
            return None

    def clear(self) -> None:
        """Keep nothing any more; the room stays taken."""
        self._write(b"")

    def _write(self, content: bytes) -> bool:
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(descriptor, content.ljust(ORDER_BYTES), 0)
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        except OSError:
            return False
        return True


def call_stop(directory: Path, order: StopOrder) -> dict[str, Any]:
    """Tell the trading process to stop; return what each account answered. Blocks up to 5 s.

    Args:
        directory: where the sockets of the running stack are.
        order: what is to stop.

    Raises:
        NotStoppedError: it does not answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(CALL_SECONDS)
        try:
            caller.connect(str(directory / SOCKET_NAME))
            caller.sendall(order.text())
            answer: dict[str, Any] = json.loads(_whole_line(caller))
        except (OSError, ValueError) as error:
            raise NotStoppedError(f"the trading process does not answer: {error}") from error
    return answer


def _whole_line(caller: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and len(line) < ANSWER_BYTES:
        part = caller.recv(65_536)
        if not part:
            break
        line += part
    return line
