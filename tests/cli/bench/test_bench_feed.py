"""The feed benchmark plays what it says it plays, and notices what is wrong with it."""

from cli.bench import feed as bench_feed
from cli.bench.feed import Frames


def test_generated_frames_are_played_from_memory_and_from_a_socket(monkeypatch):
    monkeypatch.setattr(bench_feed, "GENERATED_STEPS", 100)
    report = bench_feed.measure(0.1, None, lambda _: None)
    (row,) = report["feeds"]
    assert row["updates"] > 100
    assert row["levels_per_update"] > 1
    assert row["updates_per_second"] > 0
    assert row["socket"]["updates_per_second"] > 0
    assert report["failures"] == 0
    assert report["met"] is None


def test_wrong_checksum_is_a_failure():
    with bench_feed._simulator() as description:
        instruments = bench_feed._instruments(description["rest"])
        found = bench_feed._generated(description, instruments)
    wrong = [frame.replace(b'"checksum":', b'"checksum":1') for frame in found.frames[-20:]]
    spoilt = Frames("spoilt", [*found.frames, *wrong])
    assert bench_feed._from_memory(spoilt, instruments, 0.01)["failures"]
