"""The supervisor's own process: ``python -m infra.stack.programs.supervisord -c FILE``.

It is supervisord as it comes, with two exceptions. It looks ten times a second, not once, whether a
process has ended: a killed worker is started again at once and not up to two seconds later. And a
log that cannot be written, because its disk is full, costs lines and not the supervisor.
"""

import sys
from contextlib import suppress

from supervisor.loggers import Handler, RotatingFileHandler
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


def survive_full_disk() -> None:
    """Let no log handler raise: neither when it complains about itself nor when it rotates."""
    complain, rotate = Handler.handleError, RotatingFileHandler.doRollover

    def handle_error(handler: Handler) -> None:
        # What is complained to may be on the same disk.
        with suppress(OSError):
            complain(handler)

    def do_rollover(handler: RotatingFileHandler) -> None:
        try:
            rotate(handler)
        except OSError:
            with suppress(OSError):
                handler.stream = open(handler.baseFilename, handler.mode)  # noqa: SIM115, PTH123

    Handler.handleError = handle_error
    RotatingFileHandler.doRollover = do_rollover


def main() -> None:
    """Run in the foreground until told to shut down."""
    survive_full_disk()
    options = ServerOptions()
    options.realize(sys.argv[1:])
    options.poller = PromptPoller(options)
    options.first = True
    options.test = False
    go(options)


if __name__ == "__main__":
    main()
