"""Every command of every runbook, run as written on a stack that trades."""

import json
import re
import resource
import shlex
import time

import psycopg
import pytest

from infra.stack.postgres_binaries import embedded_cluster
from tests.support.free_ports import free_block
from tests.support.own_stack import OwnStack, own_stack
from tests.support.prometheus import ROOT
from tests.support.stack_people import StackPerson

pytestmark = [pytest.mark.stack, pytest.mark.runbooks, pytest.mark.timeout(580)]

RUNBOOKS = ROOT / "docs" / "runbooks"
REPORT = ROOT / "build" / "runbooks.json"
"""What was run, what took longest first."""
ACCOUNT = "director-1"
DIRECTOR = "anna"
LAST = "Restore"
"""It restores from a backup, so that it goes last."""
READS = (
    *("aether status", "aether verify", "aether logs", "aether audit verify", "aether portfolio"),
    *("aether backup list", "aether events status", "aether data status", "aether notify status"),
    *("aether drawdown show", "aether mode conditions", "aether reconcile report"),
    *("aether keys list", "aether notify list", "aether trade list", "aether universe changes"),
)
"""They change nothing. What one page has shown of such a line, no other page has to show again; of
lines that change something the same holds for all of a block together, in their order."""
QUARANTINED = """
    INSERT INTO quarantined_writes (account_id, write_id, step, reason, content, at)
    VALUES ('director-1', 'a-write', 'save_trade', 'of a test', '{}', now()) ON CONFLICT DO NOTHING
"""
MAY_SAY_NO = {
    # Whoever asks while not all is ready or in order is told so, and that is what it is for.
    "aether status": {0, 1},
    "aether verify": {0, 1},
    "aether reconcile report": {0, 1},
    # Nothing of the kind stands on a stack in order: the answer names that.
    "aether mode conditions": {0, 1},
    # The last step of a page may meet what an earlier one has done already.
    "aether trade close": {0, 1, 2},
    # They take a person who has signed in, which the machine's token is not: the answer says so.
    "aether keys upload": {2},
    "aether keys check": {2},
    "aether drawdown lift": {2},
    # Whoever asks again what waits already, or for a proposal that nobody made, is told so.
    "aether universe change --leave": {0, 2},
    "aether universe proposal": {0, 2},
}
NOT_ANSWERED = "[urn:aether:problem:not-answered]"
ATTEMPTS = 4
TYPED = {"aether keys upload": "a-key\nYSBwcml2YXRlIGtleQ==\n"}
"""What a person types: no key of anybody."""


def pages():
    """Return the pages: those that stop trading after the others, the one that restores last."""
    found = sorted(RUNBOOKS.glob("*.md"), key=lambda p: (p.stem == LAST, stops_trading(p), p.stem))
    assert found[-1].stem == LAST
    return found


def stops_trading(page):
    return any(line.startswith("aether kill-switch engage") for line in commands(page))


def blocks(page):
    """Return the lines of each block of commands."""
    found = re.findall(r"```\n(.*?)```", page.read_text(), re.DOTALL)
    return [tuple(line for line in block.splitlines() if line.strip()) for block in found]


def commands(page):
    return [line for block in blocks(page) for line in block]


@pytest.fixture(scope="module")
def stack():
    nobody = f"nats://127.0.0.1:{free_block()}"
    wanted = {"AETHER_EVENTS_URL": nobody, "AETHER_BACKUP_KEEP": "2"}
    with own_stack(free_block(), MARKET="generated", SPEED="10", **wanted) as running:
        yield running


def moment():
    """Return the time by the clock, and what the commands have used of the processors until now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic(), used.ru_utime + used.ru_stime


def changing(block):
    return tuple(line for line in block if not line.startswith(READS))


def is_part(block, other):
    """Tell whether another, longer block has the same lines in the same order."""
    rest = iter(other)
    return len(block) < len(other) and all(line in rest for line in block)


ALL = {changing(block) for page in pages() for block in blocks(page)}


class Shown:
    """What was run: nothing is run twice that would show the same again."""

    def __init__(self):
        self.lines = set()
        self.blocks = set()
        self.report = []

    def wanted(self, block):
        """Return the lines of a block that no page has shown."""
        left = tuple(line for line in block if line not in self.lines)
        changes = changing(block)
        if changes in self.blocks or any(is_part(changes, other) for other in ALL):
            return tuple(line for line in left if line.startswith(READS))
        self.blocks.add(changes)
        return left

    def ran(self, page, line, done, began):
        if line.startswith(READS):
            self.lines.add(line)
        seconds, processor = (now - then for now, then in zip(moment(), began, strict=True))
        figures = {"seconds": round(seconds, 1), "processor_seconds": round(processor, 1)}
        figures["exit_code"] = done.returncode
        self.report.append({"page": page, "command": line, **figures})


@pytest.fixture(scope="module")
def shown():
    found = Shown()
    yield found
    REPORT.parent.mkdir(exist_ok=True)
    found.report.sort(key=lambda row: -row["seconds"])
    REPORT.write_text(json.dumps(found.report, indent=1) + "\n")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """What a command reads as FILE."""
    place = tmp_path_factory.mktemp("files")
    candles = place / "XBTUSD_1440.csv"
    candles.write_text("".join(f"{1_700_006_400 + 86_400 * day},9,9,9,9,1,1\n" for day in range(9)))
    names = place / "sdn.csv"
    rows = (f'{number},"SOMEBODY {number}",-0- ,"CUBA"{",-0- " * 8}' for number in range(9_000))
    names.write_text("\r\n".join(rows))
    return {"aether data sanctions": names, "aether data import": candles}


def filled_in(line, stack: OwnStack, file):
    """Return the words of a command with what stands for something filled in."""
    names = {"ACCOUNT": ACCOUNT, "PAIR": "DOGE/USD", "WRITE": "a-write", "FILE": str(file)}
    names["DIRECTOR"] = DIRECTOR
    if "NUMBER" in line:
        trades = stack.trades(ACCOUNT)
        still = [trade for trade in trades if trade["phase"] != "settled"]
        names["NUMBER"] = str((still or trades or [{"number": 1}])[0]["number"])
    if "BACKUP" in line.split():
        names["BACKUP"] = stack.json("backup", "list")[-1]["backup"]
    return [names.get(word, word) for word in shlex.split(line, comments=True)][1:]


def answered(stack: OwnStack, words, typed):
    """Run a command; one that says that it was not answered in time is repeated, as it says."""
    for _ in range(ATTEMPTS):
        done = stack.aether(*words, typed=typed)
        if NOT_ANSWERED not in done.stderr:
            break
    return done


def of(table, line, otherwise):
    return next((value for start, value in table.items() if line.startswith(start)), otherwise)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_the_commands_of_a_runbook_do_what_they_say(stack, shown, files, page):
    if page.stem == "AetherWritesQuarantined":
        with psycopg.connect(embedded_cluster(stack.home).url(database="aether")) as connection:
            connection.execute(QUARANTINED)
    if any("DIRECTOR" in line for line in commands(page)):
        StackPerson(stack, DIRECTOR).close()
    if page.stem == LAST:
        assert stack.aether("backup", "create").returncode == 0
    for line in (line for block in blocks(page) for line in shown.wanted(block)):
        words = filled_in(line, stack, of(files, line, None))
        began = moment()
        done = answered(stack, words, of(TYPED, line, ""))
        shown.ran(page.stem, line, done, began)
        said = f"{page.stem}: {line}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode in of(MAY_SAY_NO, line, {0}), said
        assert "Traceback" not in done.stderr, said


def test_every_command_was_run(shown):
    lines = {line for page in pages() for line in commands(page)}
    assert lines - {row["command"] for row in shown.report} == set()


def test_what_may_say_no_is_in_some_runbook():
    lines = [line for page in pages() for line in commands(page)]
    for start in (*MAY_SAY_NO, *READS, *TYPED):
        assert any(line.startswith(start) for line in lines), start
    assert all(line.startswith("aether ") for line in lines), "a command that is not ours"
