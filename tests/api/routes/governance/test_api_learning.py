"""Learning over the API: off by default, no trade in force, and one way back, audited."""

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest_asyncio
from temporalio import activity
from temporalio.worker import Worker

from activities.adapters.postgres.learning import champions
from infra.runtime.temporal.workers import worker_options
from models.contracts.learning import LEARNING_QUEUE, TrainingRequest, training_workflow_id
from tests.support.people import signed_in
from tests.support.platform import PORT_BASE, a_key, loopback
from workflows.learning.training import TrainingWorkflow

ROOT = "/api/v1/learning"


@pytest_asyncio.fixture
async def director(platform):
    async with signed_in(platform.app, PORT_BASE, platform.admin) as caller:
        yield caller


async def test_no_training_begins_while_learning_is_off(director):
    answer = await director.post(f"{ROOT}/trainings", json={"reason": "try"}, headers=a_key())
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("learning-off")


async def test_no_token_starts_what_would_ask_for_a_model_to_trade(platform, director):
    body = {"label": "job", "scopes": ["platform.settings"], "accounts": ["*"], "days": 1}
    made = await director.post("/api/v1/me/tokens", json=body, headers=a_key())
    assert made.status_code == 201, made.text
    async with loopback(platform.app, made.json()["token"]) as own:
        for caller in (platform.caller, own):
            answer = await caller.post(f"{ROOT}/trainings", json={"reason": "try"}, headers=a_key())
            assert answer.status_code == 403
            assert answer.json()["type"].endswith("person-required")


@pytest_asyncio.fixture
async def running(platform):
    """A training under way whose process has gone: it ends with its cancellation alone."""
    run, noted = uuid4().hex[:20], []

    @activity.defn(name="end_training")
    async def end(asked: TrainingRequest, step: str) -> None:
        noted.append((asked.run_id, step))

    @activity.defn(name="plan_training")
    async def plan(_: TrainingRequest) -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.1)

    worker = Worker(
        platform.services.client,
        task_queue=LEARNING_QUEUE,
        workflows=[TrainingWorkflow],
        activities=[end, plan],
        **worker_options(),
    )
    async with worker:
        handle = await platform.services.client.start_workflow(
            TrainingWorkflow.run,
            TrainingRequest(run, "anna", "try"),
            id=training_workflow_id(run),
            task_queue=LEARNING_QUEUE,
        )
        yield run, handle, noted


async def test_training_is_cancelled_by_a_person_once_and_audited(platform, director, running):
    run, handle, noted = running
    path, key = f"{ROOT}/trainings/{run}/cancel", a_key()
    token = await platform.caller.post(path, headers=a_key())
    assert (token.status_code, token.json()["type"][-15:]) == (403, "person-required")
    first = await director.post(path, headers=key)
    assert (first.status_code, first.json()) == (200, {"run_id": run})
    done = await handle.result()
    assert (done.outcome, done.reasons) == ("cancelled", ("cancelled by a person",))
    assert noted == [(run, "planning")]
    # Sent again, with the same key or another, it comes to the same and is noted once.
    for repeated in (key, a_key()):
        again = await director.post(path, headers=repeated)
        assert (again.status_code, again.json()) == (200, {"run_id": run})
    rows = await platform.audited("platform", "training_cancelled")
    assert [row["details"]["run"] for row in rows].count(run) == 1


async def test_training_that_does_not_run_is_not_cancelled(platform, director, running):
    unknown = await director.post(f"{ROOT}/trainings/nobody/cancel", headers=a_key())
    assert unknown.status_code == 404
    assert unknown.json()["type"].endswith("unknown-run")
    run, handle, _ = running
    await handle.terminate()
    over = await director.post(f"{ROOT}/trainings/{run}/cancel", headers=a_key())
    assert over.status_code == 409
    assert over.json()["type"].endswith("training-over")


async def test_no_trade_is_in_force_and_what_was_never_tried_is_empty(platform):
    champion = (await platform.caller.get(f"{ROOT}/champion")).json()
    assert champion["model"] == "no-trade"
    assert (await platform.caller.get(f"{ROOT}/trainings")).json() == []
    assert (await platform.caller.get(f"{ROOT}/trials")).json() == []


async def test_drift_that_nobody_has_measured_is_not_known(platform):
    found = (await platform.caller.get(f"{ROOT}/drift")).json()
    assert (found["features"], found["measured_at"]) == ([], None)
    assert found["unknown"] == "no nightly run has measured it yet"


async def test_way_back_is_gone_once_for_each_key_and_audited(platform, director):
    key = a_key()
    words = {"json": {"reason": "it loses"}, "headers": key}
    first = await director.post(f"{ROOT}/champion/rollback", **words)
    again = await director.post(f"{ROOT}/champion/rollback", **words)
    assert first.status_code == 200, first.text
    assert first.json() == again.json()
    assert first.json()["model"] == "no-trade"
    in_force = (await platform.caller.get(f"{ROOT}/champion")).json()
    assert in_force["number"] == first.json()["number"]


async def test_way_back_is_gone_once_though_its_answer_was_lost(platform, director, monkeypatch):
    requests, finish = platform.services.requests, platform.services.requests.finish
    key = a_key()
    words = {"json": {"reason": "lost"}, "headers": key}

    async def die(*_):
        raise ConnectionError("the process died")

    before = (await platform.caller.get(f"{ROOT}/champion")).json()["number"]
    monkeypatch.setattr(requests, "finish", die)
    with suppress(ConnectionError):
        await director.post(f"{ROOT}/champion/rollback", **words)
    monkeypatch.setattr(requests, "finish", finish)
    again = await director.post(f"{ROOT}/champion/rollback", **words)
    assert again.status_code == 200, again.text
    assert again.json()["number"] == before + 1
    assert (await platform.caller.get(f"{ROOT}/champion")).json()["number"] == before + 1


async def test_way_back_of_a_champion_that_was_followed_meanwhile_is_refused(
    platform, director, monkeypatch
):
    requests, settle = platform.services.requests, platform.services.requests.settle

    async def meanwhile(scope, key, choice):
        kept = await settle(scope, key, choice)
        await champions.roll_back(
            platform.services.database, director.user, "earlier", expected=choice["number"]
        )
        return kept

    before = (await platform.caller.get(f"{ROOT}/champion")).json()["number"]
    monkeypatch.setattr(requests, "settle", meanwhile)
    words = {"json": {"reason": "late"}, "headers": a_key()}
    refused = await director.post(f"{ROOT}/champion/rollback", **words)
    assert refused.status_code == 409, refused.text
    assert refused.json()["type"].endswith("champion-changed")
    assert (await platform.caller.get(f"{ROOT}/champion")).json()["number"] == before + 1


async def test_stranger_learns_nothing(platform):
    assert (await platform.stranger.get(f"{ROOT}/champion")).status_code == 401


async def test_models_and_predictions_are_listed(platform):
    assert (await platform.caller.get(f"{ROOT}/models")).json() == []
    assert (await platform.caller.get(f"{ROOT}/predictions")).json() == []


async def test_signal_graph_is_asked_from_either_end(platform):
    whole = (await platform.caller.get(f"{ROOT}/graph")).json()
    names = {node["node"] for node in whole["nodes"]}
    assert {"data/candles", "feature/trend_20_100", "strategy/learned"} <= names
    of = (await platform.caller.get(f"{ROOT}/graph", params={"of": "strategy/learned"})).json()
    assert {n["node"] for n in of["nodes"]} == {
        "strategy/learned", "strategy/upper_half", "data/candles",
    }  # fmt: skip
    fed = (await platform.caller.get(f"{ROOT}/graph", params={"feeds": "data/reference"})).json()
    found = {n["node"] for n in fed["nodes"]}
    assert "feature/relative_strength_20" in found
    assert "strategy/donchian_ensemble" not in found
    lost = await platform.caller.get(f"{ROOT}/graph", params={"of": "nowhere"})
    assert lost.status_code == 404
    assert lost.json()["type"].endswith("unknown-node")


QUESTIONS = (
    ("Which model is champion?", "champion", "No trade is champion"),
    ("what did the model refuse", "refusals", "refused no idea"),
    ("what was tried in training", "tried", "0 trials"),
    ("why was trade 999999 entered", "why_trade", "no such trade"),
    ("what did trade 999999 earn", "result", "no such trade"),
    ("how much is at risk", "risk", "ccount"),
    ("what is open", "open", "open"),
    ("how much was earned", "earned", "ettled"),
    ("why was nothing traded", "refused", "refused"),
    ("will it rain", "none", "What can be asked"),
    ("why was trade 99999999999999999999 entered; drop table trades", "none", "can be asked"),
)


async def test_advisor_answers_from_the_record_and_keeps_what_it_said(platform, account):
    place = f"/api/v1/accounts/{account}/questions"
    for question, template, words in QUESTIONS:
        answer = await platform.caller.post(place, json={"question": question}, headers=a_key())
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["template"] == template, question
        assert words in found["answer"], found
        assert bool(found["sources"]) == (template != "none")
    kept = (await platform.caller.get(place)).json()
    assert [one["question"] for one in kept] == [q for q, _, _ in reversed(QUESTIONS)]
    assert (await platform.stranger.post(place, json={"question": "x"})).status_code == 401


async def test_trade_that_no_model_took_has_no_explanation(platform, account):
    found = await platform.caller.get(f"/api/v1/accounts/{account}/trades/999999/explanation")
    assert found.status_code == 404
    assert found.json()["type"].endswith("no-explanation")
