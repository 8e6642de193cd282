"""The stores of secrets, each over the real thing."""

import pytest

from tests.support.openbao import OpenBao


@pytest.fixture(scope="session")
def openbao(tmp_path_factory):
    """A server for the tests of one process; each uses a path of its own below its policy's."""
    server = OpenBao(tmp_path_factory.mktemp("openbao"))
    server.start()
    try:
        server.set_up()
        yield server
    finally:
        server.stop()
