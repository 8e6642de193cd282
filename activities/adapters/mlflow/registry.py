"""The registry of models by MLflow's REST API: its client would cost seconds and 150 MB to load.

The answers are MLflow's own. A registry that does not answer, or answers something else, is an
OSError: the caller may try again, and until then knows nothing.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.runtime.control_token import control_token

if TYPE_CHECKING:  # loaded with the first call: whoever decides by no model needs none of it
    import httpx

EXPERIMENT = "aether-training"
MODEL = "aether-learned"
CONTENT = "model.json"
TIMEOUT_SECONDS = 10.0
LONGEST_CONTENT = 20_000_000
LONGEST_PARAMETER = 500
API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
SCHEME = "mlflow-artifacts:/"


class RegistryError(ConnectionError):
    """The registry does not answer, or not as it should."""


class MlflowRegistry:
    """Implement ``ports.learning.models.ModelRegistry``."""

    def __init__(self, url: str, token_file: Path) -> None:
        self._url = url
        self._token_file = token_file

    async def register(
        self,
        run_id: str,
        content: bytes,
        parameters: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> int:
        """Keep a model with what it was trained with; return its version.

        What was registered under this run already keeps its version.
        """
        async with self._client() as client:
            known = await self._known(client, run_id)
            if known is not None:
                return known
            experiment = await self._experiment(client)
            run = await self._run(client, experiment, run_id, parameters, metrics, tags)
            location = f"{run['artifact_uri']}/model"
            place = location.removeprefix(SCHEME).lstrip("/")
            await _put(client, f"{ARTIFACTS}/{place}/{CONTENT}", content)
            await self._make_model(client)
            sent = [{"key": key, "value": value} for key, value in {**tags, "run": run_id}.items()]
            body = {"name": MODEL, "source": location, "run_id": run["run_id"], "tags": sent}
            made = await _post(client, "/model-versions/create", body)
            end = {"run_id": run["run_id"], "status": "FINISHED", "end_time": _now()}
            await _post(client, "/runs/update", end)
            return int(made["model_version"]["version"])

    async def set_alias(self, alias: str, version: int) -> None:
        """Let an alias mean a version.

        Of two that set one alias at the same moment MLflow refuses the later (400 BAD_REQUEST, its
        database's unique key); where both mean the same version, nothing is left to do.
        """
        async with self._client() as client:
            body = {"name": MODEL, "alias": alias, "version": str(version)}
            answer = await _send(client, "/registered-models/alias", body)
        if answer.status_code != 200 and await self.get_model_version_by_alias(alias) != version:
            _checked(answer)

    async def get_model_version_by_alias(self, alias: str) -> int | None:
        """Return the version that an alias means, None where there is none."""
        async with self._client() as client:
            query = {"name": MODEL, "alias": alias}
            answer = await _get(client, f"{API}/registered-models/alias", query)
            if answer.status_code in (400, 404) and _code(answer) in (
                "INVALID_PARAMETER_VALUE",
                "RESOURCE_DOES_NOT_EXIST",
            ):
                return None
            return int(_checked(answer)["model_version"]["version"])

    async def content(self, version: int) -> bytes:
        """Return a version's document, whatever it is: the caller checks hash and signature."""
        async with self._client() as client:
            query = {"name": MODEL, "version": str(version)}
            found = _checked(await _get(client, f"{API}/model-versions/get", query))
            place = str(found["model_version"]["source"]).removeprefix(SCHEME).lstrip("/")
            answer = await _get(client, f"{ARTIFACTS}/{place}/{CONTENT}", {})
            if answer.status_code != 200 or len(answer.content) > LONGEST_CONTENT:
                raise RegistryError(f"the registry has no document of version {version}")
            return answer.content

    def _client(self) -> "httpx.AsyncClient":
        import httpx

        return httpx.AsyncClient(
            base_url=self._url,
            headers={"Authorization": f"Bearer {control_token(self._token_file)}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    async def _known(self, client: "httpx.AsyncClient", run_id: str) -> int | None:
        wanted = {"filter": f"name = '{MODEL}' AND tags.run = '{run_id}'"}
        answer = _checked(await _get(client, f"{API}/model-versions/search", wanted))
        found = [int(one["version"]) for one in answer.get("model_versions", [])]
        return min(found, default=None)

    async def _experiment(self, client: "httpx.AsyncClient") -> str:
        query = {"experiment_name": EXPERIMENT}
        answer = await _get(client, f"{API}/experiments/get-by-name", query)
        if answer.status_code == 200:
            return str(answer.json()["experiment"]["experiment_id"])
        body = {"name": EXPERIMENT, "artifact_location": f"{SCHEME}{EXPERIMENT}"}
        return str((await _post(client, "/experiments/create", body))["experiment_id"])

    async def _make_model(self, client: "httpx.AsyncClient") -> None:
        answer = await _send(client, "/registered-models/create", {"name": MODEL})
        if answer.status_code != 200 and _code(answer) != "RESOURCE_ALREADY_EXISTS":
            _checked(answer)

    async def _run(
        self,
        client: "httpx.AsyncClient",
        experiment: str,
        run_id: str,
        parameters: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> dict[str, Any]:
        at = _now()
        body = {"experiment_id": experiment, "run_name": run_id, "start_time": at}
        made = await _post(client, "/runs/create", body)
        info: dict[str, Any] = made["run"]["info"]
        batch = {
            "run_id": info["run_id"],
            "params": [
                {"key": name, "value": value[:LONGEST_PARAMETER]}
                for name, value in parameters.items()
            ],
            "metrics": [
                {"key": name, "value": value, "timestamp": at, "step": 0}
                for name, value in metrics.items()
            ],
            "tags": [{"key": name, "value": value} for name, value in tags.items()],
        }
        await _post(client, "/runs/log-batch", batch)
        return info


async def _put(client: "httpx.AsyncClient", path: str, content: bytes) -> None:
    import httpx

    try:
        answer = await client.put(path, content=content)
    except httpx.HTTPError as error:
        raise RegistryError(f"the registry of models does not answer: {error!r}") from error
    if answer.status_code != 200:  # stored is answered without any content
        raise RegistryError(f"the registry of models answers {answer.status_code} {_code(answer)}")


def _now() -> int:
    return time.time_ns() // 1_000_000  # noqa: TID251 - the time of writing, decides nothing


async def _get(
    client: "httpx.AsyncClient", path: str, query: Mapping[str, str]
) -> "httpx.Response":
    import httpx

    try:
        return await client.get(path, params=dict(query))
    except httpx.HTTPError as error:
        raise RegistryError(f"the registry of models does not answer: {error!r}") from error


async def _send(
    client: "httpx.AsyncClient", path: str, body: Mapping[str, Any]
) -> "httpx.Response":
    import httpx

    try:
        return await client.post(f"{API}{path}", json=dict(body))
    except httpx.HTTPError as error:
        raise RegistryError(f"the registry of models does not answer: {error!r}") from error


async def _post(client: "httpx.AsyncClient", path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    return _checked(await _send(client, path, body))


def _checked(answer: "httpx.Response") -> dict[str, Any]:
    if answer.status_code != 200:
        raise RegistryError(f"the registry of models answers {answer.status_code} {_code(answer)}")
    try:
        found = answer.json()
    except ValueError:
        raise RegistryError("the registry of models does not answer in JSON") from None
    return found if isinstance(found, dict) else {}


def _code(answer: "httpx.Response") -> str:
    try:
        return str(answer.json().get("error_code", ""))
    except (ValueError, AttributeError):
        return ""
