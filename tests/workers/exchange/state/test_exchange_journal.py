import pytest

from workers.exchange.errors import StartError
from workers.exchange.state.journal import StateDirectory
from workers.exchange.state.memory import SNAPSHOT_AFTER_SECONDS, Memory


def opened(path):
    directory = StateDirectory(path)
    directory.open()
    return directory


def snapshot(directory, state):
    generation = directory.begin_journal()
    directory.write_snapshot(generation, state)
    directory.remove_before(generation)


def load(path):
    directory = opened(path)
    try:
        snapshot, inputs = directory.load()
        return snapshot, list(inputs)
    finally:
        directory.close()


@pytest.fixture
def written(tmp_path):
    directory = opened(tmp_path / "state")
    assert directory.load()[0] is None
    snapshot(directory, {"n": 0})
    for number in range(3):
        directory.append(["step", number])
    directory.close()
    return directory.path


def test_directory_gives_back_snapshot_and_inputs(written):
    assert load(written) == ({"n": 0}, [["step", 0], ["step", 1], ["step", 2]])


def test_new_snapshot_replaces_the_journal(written):
    directory = opened(written)
    directory.load()
    snapshot(directory, {"n": 3})
    directory.append(["step", 3])
    directory.close()
    assert load(written) == ({"n": 3}, [["step", 3]])
    assert sorted(file.name for file in written.iterdir()) == [
        "journal-2.jsonl",
        "lock",
        "snapshot-2.json",
    ]


def test_torn_last_line_is_dropped_at_every_length(written):
    journal = written / "journal-1.jsonl"
    whole = journal.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for length in range(start, len(whole)):
        journal.write_bytes(whole[:length])
        assert load(written) == ({"n": 0}, [["step", 0], ["step", 1]])


def test_kill_between_new_snapshot_and_clean_up_goes_on_from_the_new_one(written):
    old = {file: file.read_bytes() for file in written.iterdir()}
    directory = opened(written)
    directory.load()
    snapshot(directory, {"n": 3})
    directory.close()
    for file, content in old.items():
        file.write_bytes(content)
    assert load(written) == ({"n": 3}, [])


def test_kill_before_the_new_snapshot_is_whole_goes_on_from_the_old_one(written):
    directory = opened(written)
    directory.load()
    directory.begin_journal()
    directory.append(["step", 3])
    directory.close()
    assert load(written)[1] == [["step", 0], ["step", 1], ["step", 2], ["step", 3]]


@pytest.mark.parametrize("name", ["journal-1.jsonl", "snapshot-1.json"])
def test_damaged_file_stops_the_start_with_a_way_out(written, name):
    file = written / name
    content = bytearray(file.read_bytes())
    content[12] ^= 1
    file.write_bytes(content)
    with pytest.raises(StartError, match="Move the directory away") as refusal:
        load(written)
    assert "\n" not in str(refusal.value)


def test_missing_snapshot_stops_the_start(written):
    (written / "snapshot-1.json").unlink()
    with pytest.raises(StartError, match="snapshot is missing"):
        load(written)


def test_directory_in_use_is_refused(written):
    first = opened(written)
    try:
        with pytest.raises(StartError, match="another exchange is running"):
            opened(written)
    finally:
        first.close()


def test_a_start_after_a_crash_writes_no_snapshot_and_the_next_one_goes_on_from_the_same(written):
    for again in range(3):
        directory = opened(written)
        state, inputs = directory.load()
        assert (state, len(list(inputs))) == ({"n": 0}, 3 + again)
        memory = Memory(directory)
        memory.resume(0.0)
        memory.append(["step", 3 + again])
        directory.close()  # as a kill would
    assert load(written) == ({"n": 0}, [["step", number] for number in range(6)])


def test_inputs_that_took_long_to_apply_again_make_a_snapshot_due(written):
    directory = opened(written)
    directory.load()
    memory = Memory(directory)
    memory.resume(SNAPSHOT_AFTER_SECONDS)
    memory.append(["step", 3])
    memory.worked(0.0, lambda: {"n": 4})
    memory.close()
    assert load(written) == ({"n": 4}, [])
