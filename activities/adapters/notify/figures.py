"""The platform's own figures, read from its API as Prometheus would."""

from collections.abc import Sequence

import httpx
from prometheus_client.parser import text_string_to_metric_families

from models.trading.governance.notifications.conditions import CONDITIONS, Sample

TIMEOUT_SECONDS = 5.0
_WANTED = frozenset(condition.figure for condition in CONDITIONS)


class ApiFigures:
    """Reads ``/metrics`` of the API on this machine; call it to read.

    Args:
        url: root of the API.
    """

    def __init__(self, url: str) -> None:
        self._url = f"{url}/metrics"

    async def __call__(self) -> Sequence[Sample]:
        """Return the figures that conditions are judged by.

        Raises:
            OSError: the API does not answer.
        """
        try:
            # Plain HTTP on loopback: no proxy, no certificates to load.
            async with httpx.AsyncClient(
                timeout=TIMEOUT_SECONDS,
                trust_env=False,
                verify=False,  # noqa: S501
            ) as client:
                answer = await client.get(self._url)
                answer.raise_for_status()
        except httpx.HTTPError as error:
            raise OSError(f"the API does not tell its figures: {error}") from None
        return samples_of(answer.text)


def samples_of(text: str) -> list[Sample]:
    """Return the wanted figures of a text that Prometheus reads."""
    return [
        Sample(sample.name, sample.labels.get("account", ""), float(sample.value))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name in _WANTED
    ]
