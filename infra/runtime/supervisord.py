"""The supervisor's own process: ``python -m infra.runtime.supervisord -c FILE``.

It is supervisord as it comes, except that it looks ten times a second, not once, whether a
process has ended: a killed worker is started again at once and not up to two seconds later.
"""

import sys

from supervisor.options import ServerOptions
from supervisor.poller import Poller
from supervisor.supervisord import go

LONGEST_POLL_SECONDS = 0.1


class PromptPoller(Poller):  # type: ignore[misc] # chosen by platform, untyped
    """Wait for output of the processes, but never long."""

    _has_polled = False

    def poll(self, timeout: float) -> tuple[list[int], list[int]]:
        """Return readable and writable descriptors after at most ``LONGEST_POLL_SECONDS``.

        The first time at once: programs are started after it.
        """
        longest, self._has_polled = LONGEST_POLL_SECONDS * self._has_polled, True
        ready: tuple[list[int], list[int]] = super().poll(min(timeout, longest))
        return ready


def main() -> None:
    """Run in the foreground until told to shut down."""
    options = ServerOptions()
    options.realize(sys.argv[1:])
    options.poller = PromptPoller(options)
    options.first = True
    options.test = False
    go(options)


if __name__ == "__main__":
    main()
