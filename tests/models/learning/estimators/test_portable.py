"""A model as a document decides exactly as the pipeline that it was written from."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.learning.estimators.estimator import EstimatorSpec, make_estimator
from models.learning.estimators.portable import (
    ModelDocument,
    PortableError,
    PortableModel,
    members_of,
    no_trade_document,
)
from tests.support.learning.champions import document

SPECS = (
    EstimatorSpec("logistic", {"penalty": 1}),
    EstimatorSpec("lightgbm", {"leaves": 3, "rounds": 20, "smallest_leaf": 20}),
    EstimatorSpec("committee", {"leaves": 3, "rounds": 20, "smallest_leaf": 20}),
)


def fitted(spec):
    rng = np.random.default_rng(2)
    features = rng.normal(0, 2, (600, 5)) + 3
    wins = rng.random(600) < 1 / (1 + np.exp(-(features[:, 0] - 3)))
    model = make_estimator(spec).fit(features, wins, np.ones(600))
    scaler, classifier = model.pipeline.steps[0][1], model.pipeline.steps[-1][1]
    width = features.shape[1]
    made = ModelDocument(
        kind=spec.kind,
        features=tuple(f"f{n}" for n in range(width)),
        mean=tuple(scaler.mean_.tolist()),
        scale=tuple(scaler.scale_.tolist()),
        low=tuple(features.min(axis=0).tolist()),
        high=tuple(features.max(axis=0).tolist()),
        members=members_of(classifier),
    )
    return features, model, made


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_document_predicts_as_the_pipeline(spec):
    features, model, made = fitted(spec)
    # Through bytes and back: nothing but numbers and text is left of the pipeline.
    read = PortableModel(ModelDocument.decode(made.encode()))
    found = [read.predict(row).probability for row in features[:50]]
    assert np.allclose(found, model.probabilities(features[:50]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)
def test_contributions_name_what_the_model_goes_by(spec):
    features, _, made = fitted(spec)
    found = PortableModel(made).predict(features[int(features[:, 0].argmax())]).contributions
    assert max(found, key=lambda name: abs(found[name])) == "f0"


def test_what_runs_code_when_loaded_cannot_be_written():
    features, _, _ = fitted(SPECS[0])
    boosting = make_estimator(EstimatorSpec("boosting", {"rounds": 3}))
    boosting.fit(features, features[:, 0] > 3, np.ones(600))
    with pytest.raises(PortableError, match="HistGradientBoosting"):
        members_of(boosting.pipeline.steps[-1][1])


def test_unknown_figure_is_refused_and_a_far_one_named():
    made = document()
    model, width = PortableModel(made), len(made.features)
    vector = np.zeros(width)
    assert model.out_of_range(vector) == []
    vector[3] = 101.0
    assert model.out_of_range(vector) == [made.features[3]]
    vector[3] = np.nan
    with pytest.raises(PortableError, match="unknown"):
        model.predict(vector)


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b"\x80\x04.", b'{"format": 2}'])
def test_what_is_no_document_is_refused(damage):
    with pytest.raises(PortableError):
        ModelDocument.decode(damage)


def test_document_that_is_not_whole_is_refused():
    with pytest.raises(PortableError, match="not whole"):
        PortableModel(replace(document(), mean=(0.0,)))
    unknown = replace(document(), members=({"kind": "pickle", "text": "x"},))
    with pytest.raises(PortableError, match="pickle"):
        PortableModel(unknown)


def test_no_trade_is_a_document_like_any_other():
    made = no_trade_document("code")
    assert ModelDocument.decode(made.encode()) == made
    assert json.loads(made.encode())["kind"] == "no-trade"
