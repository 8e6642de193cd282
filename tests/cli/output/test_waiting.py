"""What is said while a start waits."""

from cli.output.waiting import WORDS_SHOWN, WaitingTold


def test_who_is_waited_for_is_said_on_change_and_again_with_seconds_and_reasons():
    said, now = [], [100.0]
    told = WaitingTold(said.append, lambda: now[0])
    for at, lacking in (
        (100.0, {"trading": "no answer", "market": "feed: stale"}),
        (101.0, {"trading": "no answer", "market": "feed: stale"}),
        (102.0, {"trading": "no answer"}),
        (106.9, {"trading": "no answer"}),
        (107.0, {"trading": "database: no\nanswer"}),
        (108.0, {"trading": "database: no answer"}),
        (112.4, {"trading": "x" * 500}),
        (113.0, {}),
        (114.0, {}),
    ):
        now[0] = at
        told(lacking)
    assert said == [
        "Waiting for market, trading …",
        "Waiting for trading …",
        "Still waiting after 7 s for trading (database: no answer) …",
        f"Still waiting after 12 s for trading ({'x' * WORDS_SHOWN}…) …",
        "Ready after 13 s; last was trading",
    ]


def test_nothing_is_said_where_nobody_is_waited_for():
    said = []
    WaitingTold(said.append)({})
    assert said == []
