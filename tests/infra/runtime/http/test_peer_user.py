"""Who is at the other end of a loopback connection, by the kernel's word."""

import os
import socket
import sys

import pytest

from infra.runtime.http.peer_user import is_own_user, user_of_peer

OWN, PEER = ("127.0.0.1", 0x1CEB), ("127.0.0.1", 0x9C40)
ROW = "1: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {user} 0 {inode} 1"


def row(user=1234, state="01", inode=99, local="0100007F:9C40", remote="0100007F:1CEB"):
    return ROW.format(user=user, state=state, inode=inode, local=local, remote=remote)


def told(*rows, own=OWN, peer=PEER):
    return user_of_peer(own, peer, lambda: iter(rows))


def test_the_row_of_the_other_end_names_the_user():
    ours = row(user=0, local="0100007F:1CEB", remote="0100007F:9C40")
    assert told(ours, row(user=1234)) == 1234


def test_nothing_is_known_without_a_row_or_with_two_that_differ():
    assert told() is None
    assert told(row(remote="0100007F:1CEC")) is None
    assert told(row(user=1), row(user=2)) is None
    assert told("nonsense", "") is None


@pytest.mark.parametrize("gone", [{"state": "06"}, {"state": "07"}, {"inode": 0}])
def test_a_connection_that_nobody_holds_any_more_belongs_to_nobody(gone):
    """The kernel shows user 0 for those, and the platform may run as user 0."""
    assert told(row(user=0, **gone)) is None


def test_other_machines_are_nobody_of_ours():
    assert told(row(), peer=("192.0.2.7", 0x9C40)) is None
    assert told(row(), own=("192.0.2.7", 0x1CEB)) is None


def test_addresses_of_version_six_are_found_too():
    wide = row(
        local="00000000000000000000000001000000:9C40",
        remote="00000000000000000000000001000000:1CEB",
    )
    assert told(wide, own=("::1", 0x1CEB), peer=("::1", 0x9C40)) == 1234
    mapped = row(
        local="0000000000000000FFFF00000100007F:9C40",
        remote="0000000000000000FFFF00000100007F:1CEB",
    )
    assert told(mapped) == 1234


def test_a_table_that_cannot_be_read_names_nobody():
    def unreadable():
        raise PermissionError
        yield

    assert user_of_peer(OWN, PEER, unreadable) is None
    assert not is_own_user(OWN, PEER, unreadable)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's table is Linux's")
def test_a_real_connection_is_known_and_another_user_is_not(monkeypatch):
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        ours, peer = server.accept()
        with ours:
            assert client.getsockname() == peer
            assert is_own_user(ours.getsockname(), peer)
            other = os.geteuid() + 1
            monkeypatch.setattr(os, "geteuid", lambda: other)
            assert not is_own_user(ours.getsockname(), peer)
