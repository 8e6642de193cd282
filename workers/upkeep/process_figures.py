"""The figures of a process's health, in a registry of the process's own.

Where processes are forked from one that has loaded everything, the common registry holds the
figures of others, which such a process knows nothing of.
"""

from prometheus_client import CollectorRegistry, Gauge, PlatformCollector, ProcessCollector


class ProcessFigures:
    """What each process tells that has no figures of its own: what it needs, and when it worked."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.ready = Gauge(
            "aether_process_part_ready",
            "Whether a part that the process needs is in order",
            ("part",),
            registry=self.registry,
        )
        self.work_age = Gauge(
            "aether_process_work_age_seconds",
            "Since the process last did this work without a failure",
            ("work",),
            registry=self.registry,
        )
