"""Making and verifying a backup as an activity: by the command that people use."""

import json
from collections.abc import Sequence

from temporalio import activity

from activities.operation.commands import run_command
from models.contracts.backups import BackupDone, BackupRequest


class BackupActivities:
    """Runs the command in a process of its own, which leaves no memory behind."""

    def __init__(self, command: Sequence[str]) -> None:
        """Take the command line of ``aether``, for example ``[python, -m, cli.entry]``."""
        self._command = tuple(command)

    @activity.defn
    async def back_up(self, _request: BackupRequest) -> BackupDone:
        """Make a backup, restore it into an empty place, look at it; return its name.

        Raises:
            ApplicationError: what the command says is in the way.
        """
        said = await run_command(self._command, ("backup", "create", "--verify", "--json"))
        return BackupDone(str(json.loads(said)["backup"]))
