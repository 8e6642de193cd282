"""What this process measures of itself, as a test sees it: by how much each figure grew."""

from prometheus_client import REGISTRY


class Figures:
    """What the process's registry gained since the test began."""

    def __init__(self) -> None:
        self._before = self._all()

    def gained(self, name: str, **labels: str) -> float:
        key = (name, tuple(sorted(labels.items())))
        return self._all().get(key, 0.0) - self._before.get(key, 0.0)

    @staticmethod
    def _all() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in REGISTRY.collect()
            for sample in family.samples
        }

    def now(self, name: str, **labels: str) -> float | None:
        return self._all().get((name, tuple(sorted(labels.items()))))
