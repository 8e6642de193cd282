"""Work that is done by the command that people use, in a process of its own.

Its memory is gone when it ends, and it goes the same way as when somebody asks for it.
"""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress

from temporalio import activity
from temporalio.exceptions import ApplicationError

HEARTBEAT_SECONDS = 5.0
STOP_SECONDS = 20.0
LONGEST_MESSAGE = 500
SUCCESS = frozenset({0})


async def run_command(
    command: Sequence[str], words: Sequence[str], good: Collection[int] = SUCCESS
) -> str:
    """Run a command of ``aether`` and return what it printed, beating meanwhile.

    Args:
        command: the command line of ``aether``, for example ``[python, -m, cli.entry]``.
        words: what follows it.
        good: exit codes that are no failure.

    Raises:
        ApplicationError: what the command says is in the way.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    beating = asyncio.create_task(_beat())
    try:
        said, complained = await process.communicate()
    except asyncio.CancelledError:
        await _end(process)
        raise
    finally:
        beating.cancel()
    # A command that fails unforeseen may end with a good one's code: it has said nothing then.
    if process.returncode not in good or not said.strip():
        lines = complained.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        named = " ".join(word for word in words[:2] if not word.startswith("-"))
        raise ApplicationError(f"aether {named}: {lines[-1]}"[:LONGEST_MESSAGE])
    return said.decode(errors="replace")


async def _beat() -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
            return
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
