"""The command line beside a served platform: one server for all of these tests."""

import asyncio
import os
import sys

import pytest
import pytest_asyncio
import structlog
import uvicorn

from cli.main import main
from infra.runtime.database.connections import Role
from tests.support.platform import PORT_BASE
from tests.support.temporal import eventually


@pytest_asyncio.fixture(scope="session")
async def served(platform):
    config = uvicorn.Config(
        platform.app, host="127.0.0.1", port=PORT_BASE, lifespan="off", log_config=None
    )
    # The API logs to standard error as its own process does, not into what a command prints.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    server = uvicorn.Server(config)
    # The test run keeps its own signal handlers.
    task = asyncio.create_task(server._serve())
    await eventually(lambda: server.started, "the API is served")
    yield platform
    server.should_exit = True
    await task
    structlog.reset_defaults()


@pytest.fixture
def aether(served, postgres, api_database, tmp_path, monkeypatch, capsys):
    """Run the command line beside the served API, in this process for speed."""
    for name in [name for name in os.environ if name.startswith("AETHER_")]:
        monkeypatch.delenv(name)
    usual = {
        "AETHER_HOME": str(tmp_path / "home"),
        "AETHER_PORT_BASE": str(PORT_BASE),
        "AETHER_TOKEN": served.token,
        "AETHER_DATABASE_URL": postgres.url(Role.OWNER, api_database),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "COLUMNS": "200",
    }

    def run():
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    async def call(*words, status=0, **environment):
        for name, value in (usual | environment).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["aether", *words])
        capsys.readouterr()
        code = await asyncio.to_thread(run)
        said, complained = capsys.readouterr()
        assert status is None or (code or 0) == status, complained + said
        if status == 2:
            assert said == ""
            assert len(complained.strip().splitlines()) == 1
            return complained.strip()
        return said

    return call
