"""Run a module as ``python -m`` does, started quicker: ``python -m infra.runtime.launch MODULE``.

While modules are loaded nearly everything that is made stays, yet the collector walks through all
of it again and again: a sixth of the start. Standard library only: this is on the restart path.
"""

import gc
import runpy
import sys

COLLECT_AFTER_OBJECTS = 100_000
"""Until the process has loaded and says itself how its memory is to be kept."""


def main() -> None:
    """Put the collector off, then become the module."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 50, 100)
    _, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
