"""Become a module's program, loaded quicker: ``python -m infra.stack.programs.launch MODULE …``.

While modules are loaded nearly everything that is made stays, yet the collector walks through all
of it again and again: a sixth of the start. Standard library only: this is on the restart path.
"""

import gc
import importlib
import sys
from collections.abc import Sequence

MODULE = "infra.stack.programs.launch"
COLLECT_AFTER_OBJECTS = 100_000
"""Until the process has loaded and says itself how its memory is to be kept."""


def put_collector_off() -> None:
    """Let the collector look seldom until the process has loaded."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 50, 100)


def become(module: str, arguments: Sequence[str]) -> int:
    """Run the module's ``main``, which reads its arguments as always; return its exit status."""
    sys.argv = [module, *arguments]
    return importlib.import_module(module).main() or 0


def main() -> int:
    """Put the collector off, then become the module."""
    put_collector_off()
    _, module, *arguments = sys.argv
    return become(module, arguments)


if __name__ == "__main__":
    sys.exit(main())
