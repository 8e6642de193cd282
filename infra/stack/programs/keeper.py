"""Start the supervisor again when it is killed: ``python -m infra.stack.programs.keeper``.

Arguments: the run, sockets and logs directories. It runs as one of the supervisor's programs; the
supervisor in turn starts a killed keeper again. It does nothing once the stack is no longer wanted.
"""

import os
import sys
import time
from pathlib import Path

from infra.stack.programs.holder import is_supervisor

POLL_SECONDS = 0.1
RETRY_SECONDS = 1.0


def main() -> None:
    """Wait for the parent's end, then start its successor, which brings its own keeper."""
    parent = os.getppid()
    # Another parent than the supervisor means that it died before this process began.
    if is_supervisor(parent):
        while os.getppid() == parent:  # a wait for the process itself would wait for its reaper
            time.sleep(POLL_SECONDS)
    # Loaded only now: at a common start the cores belong to others.
    from infra.runtime.errors import StartError
    from infra.stack.programs.supervision import Supervisor

    supervisor = Supervisor(*(Path(argument) for argument in sys.argv[1:4]))
    while True:
        try:
            supervisor.start(os.environ, take_on=True)
        except StartError:
            # Nobody else would try again.
            time.sleep(RETRY_SECONDS)
        else:
            return


if __name__ == "__main__":
    main()
