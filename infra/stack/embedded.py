"""The embedded stack: what runs, in which order, and how it starts and stops as a whole."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra.runtime.errors import ConfigurationError, ProvisioningError, StartError, StateError
from infra.runtime.files import write_atomically
from infra.runtime.secrets import InstallationSecrets, installation_secrets
from infra.runtime.settings import Settings
from infra.runtime.state_directory import Manifest, StateDirectory
from infra.runtime.temporal import access as temporal_access
from infra.stack import ports, postgres_binaries, temporal_server
from infra.stack.builds import note_build
from infra.stack.machine import place_of
from infra.stack.prepared import is_prepared, note_prepared
from infra.stack.programs import early_start, launch
from infra.stack.programs.environment import inherited, keep_private
from infra.stack.programs.supervision import KEEPER, Program, Supervisor
from infra.stack.replay_files import absolute_market, is_there, replay_files

SIMULATED_FUNDS = {"USD": "100000"}
PREPARATION_SECONDS = 180.0
# Threads of numeric libraries would compete with the processes for the cores.
CHILD_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
FORK_SERVER = "infra.stack.programs.fork_server"
# What the processes share of modules and libraries. None of these makes a metric of its own, which
# would then be told by processes that know nothing of it.
SHARED_MODULES = ("workers.trading",)
NOTIFICATIONS, RESEARCH = "workers.notifications.process", "workers.research.process"
# How long the trading process has had the cores for itself before the others load.
STANDBY_AFTER_SECONDS, OTHERS_AFTER_SECONDS = "3.0", "1.5"
LAST_AFTER_SECONDS, RESEARCH_AFTER_SECONDS = "4.0", "8.0"
# Elsewhere system libraries start threads while they are loaded, and those do not live in a child.
CAN_FORK = sys.platform == "linux"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Started:
    """What a start did. ``first`` is true when the installation was made by it."""

    first: bool
    was_running: bool


class Stack:
    """The processes of one installation."""

    def __init__(self, settings: Settings) -> None:
        self.state = StateDirectory(settings.home)
        self.settings = _as_last_run(settings, self.state.manifest())
        self.supervisor = Supervisor(self.state.run, self.state.sockets, self.state.logs)
        self._forks = self.state.sockets / "fork-server.sock"

    def start(self, tell: Progress, without: Collection[str] = ()) -> Started:
        """Start everything that is not running yet; return when the workers may start.

        Args:
            tell: gets one line for each thing that takes time.
            without: names of programs that stay stopped.

        Raises:
            PlatformError: one line that says what is wrong and the way out.
        """
        keep_private()
        self._check_place()
        self._check_market()
        if self.supervisor.is_running:
            early_start.THIS.give_up()  # what runs is the supervisor's to start
            return Started(first=False, was_running=True)
        first = self._set_up(tell)
        keep = self._started_early()
        if left := self.supervisor.end_survivors(keep):
            tell(f"Ended what had lost its supervisor: {', '.join(left)}")
        ports.require_free(self.settings)
        program = self._temporal_program(tell)
        self.supervisor.configure(self.programs(program, without))
        if self._is_prepared():
            self.state.prepared.touch()
            self._start_supervisor(keep)
            return Started(first=first, was_running=False)
        # Workers wait until the database is prepared for this version of the program.
        self.state.prepared.unlink(missing_ok=True)
        self._start_supervisor(keep)
        try:
            self._prepare(tell)
        except BaseException:
            self.supervisor.stop()
            raise
        self.state.prepared.touch()
        return Started(first=first, was_running=False)

    def _started_early(self) -> list[int]:
        """Return what this process has started before it loaded; what is another now is ended."""
        if CAN_FORK and early_start.THIS.is_running(self._fork_server().command):
            return [early_start.THIS.pid]
        early_start.THIS.give_up()
        return []

    def _start_supervisor(self, keep: Collection[int]) -> None:
        note_build(self.state)
        self.supervisor.start(self.environment(), keep=keep)
        early_start.THIS.hand_over()
        if CAN_FORK:
            program = self._fork_server()
            note = {
                "options": program.holding(self.state.run),
                "command": program.command,
                "environment": CHILD_ENVIRONMENT,
            }
            write_atomically(self.state.run / early_start.NOTE, json.dumps(note).encode(), 0o600)

    def stop(self) -> bool:
        """Stop everything in order; False when nothing ran."""
        return self.supervisor.stop()

    def environment(self) -> dict[str, str]:
        """Return the environment in which every process finds this installation's settings."""
        settings = self.settings
        return {
            # Without PYTHONDONTWRITEBYTECODE: compiling everything anew would take most of a start.
            **inherited(os.environ),
            **CHILD_ENVIRONMENT,
            "AETHER_HOME": str(settings.home),
            "AETHER_PORT_BASE": str(settings.port_base),
            "AETHER_ACCOUNTS": str(settings.accounts),
            "MARKET": settings.market,
            "SPEED": settings.market_speed,
            "AETHER_LEARNING": str(settings.learning),
            "AETHER_LEARNING_DATA": str(settings.learning_data),
        }

    def programs(self, temporal: Path, without: Collection[str] = ()) -> list[Program]:
        """Return the programs of the stack in starting order."""
        forking = [self._fork_server()] if CAN_FORK else []
        found = [*self._servers(temporal), *forking, *self._workers(), self._keeper()]
        unknown = set(without) - {program.name for program in found}
        if unknown:
            raise ConfigurationError(f"no such process: {', '.join(sorted(unknown))}")
        return [program.starting(program.name not in without) for program in found]

    def _servers(self, temporal: Path) -> list[Program]:
        settings, found = self.settings, []
        if settings.database_url is None:
            cluster = postgres_binaries.embedded_cluster(settings.home)
            identity = postgres_binaries.run_as(cluster)
            found.append(
                Program(
                    "postgres",
                    postgres_binaries.command_line(cluster),
                    priority=10,
                    stop_signal="INT",
                    stop_seconds=20,
                    may_refuse=False,
                    user=(identity["user"], identity["group"]) if identity else None,
                    pid_files=postgres_binaries.pid_files(cluster),
                )
            )
        if settings.temporal_address is None:
            is_open = temporal_access.open_access(settings) != ""
            words = (
                temporal_server.official_command_line if is_open else temporal_server.command_line
            )
            command = words(temporal, settings, self.state)
            found.append(Program("temporal", command, priority=20, may_refuse=False))
        exchange = [sys.executable, "-m", launch.MODULE, "workers.embedded_exchange"]
        return [*found, Program("exchange", exchange, priority=30)]

    def _fork_server(self) -> Program:
        command = [sys.executable, "-m", FORK_SERVER, str(self._forks), *SHARED_MODULES]
        return Program("fork-server", command, priority=40)

    def _workers(self) -> list[Program]:
        # Two of the trading worker: whichever comes second stands by and takes over within
        # milliseconds, which an interpreter's start cannot. Whoever protects positions gets the
        # cores first: a killed trading process starts again when its standby has taken over, and
        # at a common start all others come after it.
        start, lock = "workers.delayed_start", str(self.state.run / "trading.lock")
        words = {
            "trading": [start, STANDBY_AFTER_SECONDS, lock, "workers.trading"],
            "trading-standby": [start, "--expect", STANDBY_AFTER_SECONDS, lock, "workers.trading"],
            "market": [start, "--expect", OTHERS_AFTER_SECONDS, lock, "workers.market"],
            "api": [start, "--expect", OTHERS_AFTER_SECONDS, lock, "api.__main__"],
            # After everybody whom a person waits for.
            "notifications": [start, "--expect", LAST_AFTER_SECONDS, lock, NOTIFICATIONS],
            # Last: nobody asks for a backtest in the first seconds.
            "research": [start, "--expect", RESEARCH_AFTER_SECONDS, lock, RESEARCH],
        }
        workers = [
            Program(
                name,
                [sys.executable, "-m", launch.MODULE, *arguments],
                priority=100 + number,
                wait_for=self.state.prepared,
                fork_server=self._forks if CAN_FORK else None,
            )
            for number, (name, arguments) in enumerate(words.items())
        ]
        # Not from the fork server: their libraries are heavy and nobody else needs them.
        beside = {
            "registry": ("infra.stack.model_registry", self.settings.runs_registry),
            "learning": ("workers.learning", self.settings.learning),
            "events": ("workers.events.process", self.settings.events_url is not None),
            "backups": ("workers.backups.process", self.settings.backup_schedule is not None),
        }
        wanted = {name: module for name, (module, on) in beside.items() if on}
        for number, (name, module) in enumerate(wanted.items()):
            command = [sys.executable, "-m", launch.MODULE, module]
            waits = self.state.prepared
            workers.append(Program(name, command, priority=200 + number, wait_for=waits))
        return workers

    def _keeper(self) -> Program:
        places = [str(path) for path in (self.state.run, self.state.sockets, self.state.logs)]
        command = [sys.executable, "-m", "infra.stack.programs.keeper", *places]
        return Program(KEEPER, command, priority=999, is_held=False)

    def _temporal_program(self, tell: Progress) -> Path:
        """Find the server, and note whether it asks for credentials.

        What was found usable last time is not asked for its version again.
        """
        if self.settings.temporal_address is not None:
            return Path()
        program, is_open = self._known_temporal_program()
        if program is None:
            program = temporal_server.find_or_provide(self.state, tell)
            is_open = not temporal_server.asks_for_credentials(program)
            found = program.stat()
            content = [str(program), found.st_size, found.st_mtime_ns, is_open]
            write_atomically(self._temporal_note, json.dumps(content).encode())
        temporal_access.note_open(self.state, is_open=is_open)
        if is_open:
            tell(f"Warning: {temporal_access.OPEN_TEMPORAL}")
        return program

    def _known_temporal_program(self) -> tuple[Path | None, bool]:
        try:
            path, *known, is_open = json.loads(self._temporal_note.read_bytes())
            found = Path(path).stat()
        except (OSError, ValueError):
            return None, True
        chosen = os.environ.get("AETHER_TEMPORAL_CLI")
        # One that lets everybody in is used again only if it is asked for: ours may be there now.
        wanted = chosen == path or (not chosen and is_open is False)
        if wanted and known == [found.st_size, found.st_mtime_ns]:
            return Path(path), bool(is_open)
        return None, True

    @property
    def _temporal_note(self) -> Path:
        return self.state.run / "temporal-program.json"

    def _check_place(self) -> None:
        """Refuse a copy: beside the original it would trade with the same exchange keys."""
        manifest = self.state.manifest()
        if manifest is not None and manifest.place not in ("", place_of(self.state.home)):
            raise StateError(
                f"{self.state.home} was copied or moved here from another directory or machine: "
                "two that run with the same exchange keys would trade against each other. Make "
                "sure that the original is stopped for good, then: aether admin adopt --yes"
            )

    def _check_market(self) -> None:
        manifest = self.state.manifest()
        if manifest is not None and manifest.market != self.settings.market:
            raise StateError(
                f"{self.state.home} belongs to the market {manifest.market}, not "
                f"{self.settings.market}: accounts and positions belong to one market. Choose "
                "another AETHER_HOME, or set this one aside: aether admin reset"
            )
        for path in replay_files(self.settings.market):
            if not is_there(path):
                raise ConfigurationError(f"MARKET: there is no file {path}")

    def prepare(self, tell: Progress) -> None:
        """Set up what somebody else starts: state, secrets and keys, then database and accounts.

        Raises:
            PlatformError: one line that says what is wrong and the way out.
        """
        if self.settings.database_url is None:
            raise ConfigurationError(
                "AETHER_DATABASE_URL: the embedded database is prepared by aether up"
            )
        keep_private()
        self._check_place()
        self._check_market()
        self._set_up(tell)
        self._prepare(tell)

    def _set_up(self, tell: Progress) -> bool:
        manifest = self.state.manifest()
        if manifest is None and self.state.secrets.exists():
            tell("An earlier first start was interrupted; it goes on where it stopped")
        self.state.create()
        store = installation_secrets(self.settings).create()
        temporal_access.ensure_credentials(temporal_access.credentials_directory(self.state))
        self._write_exchange_accounts(store)
        if self.settings.database_url is None:
            postgres_binaries.make_own_user()
            cluster = postgres_binaries.embedded_cluster(self.state.home)
            if not cluster.is_initialised:
                tell("Creating the database …")
            try:
                postgres_binaries.prepare(cluster)
            except postgres_binaries.PostgresBinariesError as error:
                raise ProvisioningError(str(error)) from None
        self.state.save_manifest(self._manifest(manifest))
        return manifest is None

    def _manifest(self, earlier: Manifest | None) -> Manifest:
        return Manifest(
            market=self.settings.market,
            speed=self.settings.speed,
            port_base=self.settings.port_base,
            postgres_major=postgres_binaries.MAJOR_VERSION,
            created_at=earlier.created_at if earlier else datetime.now(UTC),
            place=place_of(self.state.home),
        )

    def _write_exchange_accounts(self, store: InstallationSecrets) -> None:
        if self.state.exchange_accounts.exists():
            self._keep_accounts()
            return
        rows: list[dict[str, object]] = []
        for account in self.settings.first_accounts:
            key = store.simulated_key(account)
            row = {"account": account, "key": key.key, "secret": key.secret}
            rows.append(row | {"balances": SIMULATED_FUNDS, "tier": self.settings.exchange_tier})
        write_atomically(self.state.exchange_accounts, json.dumps(rows).encode(), 0o600)

    def _keep_accounts(self) -> None:
        """Go on with the accounts that are there, at the tier of the settings.

        Both sides must count alike, and what the exchange knows is as old as its state.
        """
        rows = json.loads(self.state.exchange_accounts.read_bytes())
        known = len({row["account"] for row in rows})  # an account may have several keys
        if "accounts" in self.settings.model_fields_set and self.settings.accounts != known:
            raise StateError(
                f"{self.state.home} was set up with {known} accounts, not "
                f"{self.settings.accounts}: choose another AETHER_HOME or leave AETHER_ACCOUNTS out"
            )
        self.settings.accounts = known
        tier = self.settings.exchange_tier
        if any(row.get("tier") != tier for row in rows):
            changed = [row | {"tier": tier} for row in rows]
            write_atomically(self.state.exchange_accounts, json.dumps(changed).encode(), 0o600)

    def _is_prepared(self) -> bool:
        # What somebody else runs may have been changed by anybody: it is looked at each time.
        if self.settings.database_url is not None:
            return False
        return is_prepared(postgres_binaries.embedded_cluster(self.state.home))

    def _prepare(self, tell: Progress) -> None:
        tell("Preparing the database …")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "workers.preparation"], env=self.environment(),
                cwd=self.state.run, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False, timeout=PREPARATION_SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise StartError(
                f"the database could not be prepared in {PREPARATION_SECONDS:.0f} s"
            ) from None
        # A full disk of the logs is no reason not to start.
        with suppress(OSError):
            (self.state.logs / "preparation.log").write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            words = done.stderr.strip().splitlines() or ["it said nothing"]
            raise StartError(f"the database could not be prepared: {words[-1]}")
        if self.settings.database_url is None:
            note_prepared(postgres_binaries.embedded_cluster(self.state.home))


def _as_last_run(settings: Settings, manifest: Manifest | None) -> Settings:
    """Fill what was not said this time from the last run; market paths become absolute."""
    changes: Mapping[str, object] = {"market": absolute_market(settings.market)}
    if manifest is not None:
        remembered = {
            "market": manifest.market,
            "speed": manifest.speed,
            "port_base": manifest.port_base,
        }
        unsaid = {k: v for k, v in remembered.items() if k not in settings.model_fields_set}
        changes = {**changes, **unsaid}
    return settings.model_copy(update=dict(changes))
