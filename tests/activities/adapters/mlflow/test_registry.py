"""The registry of models as the platform runs it: a real MLflow over a real PostgreSQL."""

import asyncio
import os
import subprocess
import sys

import httpx
import psycopg
import pytest

from activities.adapters.mlflow.registry import MODEL, MlflowRegistry, RegistryError
from infra.runtime.database.connections import Role
from infra.runtime.state_directory import StateDirectory
from tests.support.model_registry import learning_environment, running_registry

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def served(postgres, tmp_path_factory):
    """Start the registry's own program on a database of its own; yield its settings."""
    home = tmp_path_factory.mktemp("registry")
    environment = learning_environment(postgres, postgres.new_database(), home)
    with running_registry(environment, home) as settings:
        yield settings


def registry_of(settings):
    return MlflowRegistry(settings.registry_url, StateDirectory(settings.home).registry_token)


async def test_versions_aliases_and_contents_are_kept(served):
    registry = registry_of(served)
    assert await registry.get_model_version_by_alias("champion") is None
    one = await registry.register("no-trade", b"{1}", {}, {}, {"sha256": "a"})
    two = await registry.register(
        "run-1", b"{2}", {"estimator": "logistic"}, {"log_loss": 0.6}, {"sha256": "b"}
    )
    assert await registry.register("run-1", b"{other}", {}, {}, {}) == two != one
    assert [await registry.content(one), await registry.content(two)] == [b"{1}", b"{2}"]
    for version in (two, one):
        await registry.set_alias("champion", version)
        assert await registry.get_model_version_by_alias("champion") == version
    # MLflow's own client sees the same.
    shown = await asyncio.to_thread(by_mlflow, served)
    assert shown == (str(one), {"log_loss": 0.6}, {"estimator": "logistic"})


async def test_two_that_do_the_same_at_the_same_moment_both_succeed(served):
    """The workflow that promotes and the schedule that keeps aliases in line may meet."""
    registry = registry_of(served)
    version = await registry.register("met", b"{3}", {}, {}, {"sha256": "c"})
    for number in range(5):
        alias = f"met-{number}"
        await asyncio.gather(*(registry.set_alias(alias, version) for _ in range(8)))
        assert await registry.get_model_version_by_alias(alias) == version


def by_mlflow(settings):
    token = StateDirectory(settings.home).registry_token.read_text()
    script = (
        "from mlflow import MlflowClient\n"
        f"c = MlflowClient({settings.registry_url!r})\n"
        f"v = c.get_model_version_by_alias({MODEL!r}, 'champion').version\n"
        "r = [x for x in c.search_runs(['1']) if x.info.run_name == 'run-1'][0]\n"
        "print(repr((str(v), r.data.metrics, r.data.params)))\n"
    )
    environment = {**os.environ, "MLFLOW_TRACKING_TOKEN": token, "DO_NOT_TRACK": "true"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return eval(done.stdout)


def test_strangers_pages_and_other_services_are_refused(served):
    token = StateDirectory(served.home).registry_token.read_text()
    url, own = served.registry_url, {"Authorization": f"Bearer {token}"}
    search = "/api/2.0/mlflow/registered-models/search"

    def status(path, **headers):
        return httpx.get(url + path, headers=headers, timeout=30, trust_env=False).status_code

    assert status(search) == 401
    assert status(search, Authorization="Bearer wrong") == 401
    assert status(search, Authorization="Basic !") == 401
    assert status(search, **own) == 200
    assert status(search, **own, Host="evil.example") == 421
    assert status(search, **own, Origin="http://evil.example") == 403
    for path in ("/ajax-api/3.0/mlflow/assistant/x", "/gateway/x", "/v1/traces"):
        assert status(path) == 401
    for path in (
        *("/gateway/x", "/v1/traces", "/ajax-api/3.0/mlflow/assistant/x"),
        *("/ajax-api/2.0/mlflow/gateway-proxy", "/api/2.0/mlflow/webhooks", "/graphql"),
    ):
        assert status(path, **own) == 404
    assert StateDirectory(served.home).registry_token.stat().st_mode & 0o077 == 0


async def test_registry_that_is_away_is_an_error_that_may_be_tried_again(tmp_path):
    registry = MlflowRegistry("http://127.0.0.1:1", tmp_path / "token")
    with pytest.raises(RegistryError, match="does not answer"):
        await registry.get_model_version_by_alias("champion")
    with pytest.raises(OSError, match="does not answer"):
        await registry.register("run", b"", {}, {}, {})


def test_role_of_the_registry_sees_nothing_of_the_record(postgres, served):
    database = postgres.new_database()
    with (
        psycopg.connect(postgres.url(Role.REGISTRY, database)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("SELECT * FROM champions")
