"""What breaks a step, what held it up, and what the envelope then is."""

from cli.bench.envelope.asking import kind_of
from cli.bench.envelope.limits import broken, envelope, held_up_by


def percentiles(p99, n=20):
    return {"p50_ms": p99 / 2 if p99 else None, "p99_ms": p99, "n": n}


def a_step(trades=1.0, requests=0.0, **changes):
    step = {
        "trades_a_second": trades,
        "requests_a_second": requests,
        "entries": 20,
        "refused_entries": {},
        "request_to_ack": percentiles(100.0),
        "fill_to_stop": percentiles(200.0),
        "reads": 100,
        "refused_reads": {},
        "read": percentiles(20.0),
        "cores": 1.0,
        "cores_by_process": {"temporal": 0.5, "trading": 0.4, "api": 0.1},
        "cores_of_client": 0.1,
        "cores_of_others": 0.0,
    }
    return step | changes


def test_a_step_within_all_limits_breaks_none():
    assert broken(a_step(1.0, 10.0)) == []


def test_a_late_stop_breaks_the_promise():
    assert broken(a_step(fill_to_stop=percentiles(5001.0))) == [
        "stops after fills: p99 5001 ms over 5000"
    ]


def test_what_was_not_measured_does_not_count_as_held():
    assert broken(a_step(request_to_ack=percentiles(None, 0))) == [
        "acknowledgement of entries: not measured"
    ]
    assert broken(a_step(0.0, 10.0, read=None)) == ["answers to reads: not measured"]


def test_refusals_break_a_step_and_say_of_what_kind():
    assert broken(a_step(refused_entries={"overloaded": 3})) == [
        "entries refused: 3 of 20 (3 overloaded)"
    ]
    assert broken(a_step(0.0, 10.0, refused_reads={"overloaded": 1})) == []
    assert kind_of("too busy [urn:aether:problem:overloaded]") == "overloaded"
    assert kind_of("the API does not answer (ReadTimeout)") == (
        "the API does not answer (ReadTimeout)"
    )


def test_cores_that_others_use_are_named():
    assert held_up_by(a_step(cores_of_others=0.8), 2) == (
        "all 2 cores: most temporal (0.50), other programs 0.80"
    )


def test_one_interpreter_is_full_before_all_cores_are():
    used = {"temporal": 1.2, "trading": 0.95, "api": 0.1}
    step = a_step(cores=2.25, cores_by_process=used)
    assert held_up_by(step, 8) == "the one core of trading (0.95)"
    assert held_up_by(a_step(), 8).startswith("waiting: no core was full")


def test_the_envelope_is_the_last_step_that_held():
    steps = [
        a_step(1.0) | {"broken": []},
        a_step(2.0) | {"broken": []},
        a_step(3.0) | {"broken": ["entries refused: 9 of 20 (9 overloaded)"]},
    ]
    found = envelope({"entries": steps, "reads": [], "both": steps[2:]}, 2)
    assert found["entries"]["held"]["trades_a_second"] == 2.0
    assert found["entries"]["broke_at"]["trades_a_second"] == 3.0
    assert "refused" in found["entries"]["first_to_break"][0]
    assert found["reads"]["held"] is None
    assert found["reads"]["first_to_break"] is None
    assert found["both"]["held"] is None
