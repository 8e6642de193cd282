from cli.bench.burst import Answer, summary


def test_answers_are_counted_by_kind_and_refusals_need_their_time():
    found = summary(
        [
            Answer("accepted", 202, None, 0.2),
            Answer("overloaded", 503, "2", 1.1),
            Answer("overloaded", 503, None, 1.0),
            Answer("overloaded", 500, "2", 1.0),
            Answer("limit-exceeded", 409, None, 0.1),
        ]
    )
    assert found["answers"] == {"accepted": 1, "overloaded": 3, "limit-exceeded": 1}
    assert found["unclear"] == {"503 overloaded": 1, "500 overloaded": 1}
    assert found["slowest_answer_seconds"] == 1.1


def test_no_answers_are_nothing_to_object_to():
    assert summary([]) == {"answers": {}, "slowest_answer_seconds": 0.0, "unclear": {}}
