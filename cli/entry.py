"""``aether``, with what takes longest to start begun before the command line is loaded."""

import os
import sys

from infra.stack.programs.early_start import THIS
from infra.stack.programs.environment import keep_private
from infra.stack.programs.launch import put_collector_off


def program() -> None:
    """Be the program ``aether``."""
    keep_private()
    THIS.begin(sys.argv[1:], os.environ)
    put_collector_off()
    try:
        from cli import main  # loads for half a second

        main.program()
    finally:
        THIS.give_up()


if __name__ == "__main__":
    program()
