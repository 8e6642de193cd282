"""What deciding by models needs: the registry of their files, and the record of who decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from models.trading.market import Candle


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model as the record pins it: its file's hash and the signature over all of this."""

    version: int
    run_id: str
    trial: str
    sha256: str
    signature: str
    feature_hash: str
    data_hash: str
    code_version: str


@dataclass(frozen=True, slots=True)
class ChampionInForce:
    """Who decides since when; ``model`` is None where the record holds no such version."""

    number: int
    run_id: str
    since: datetime
    model: RegisteredModel | None


@dataclass(frozen=True, slots=True)
class LoggedPrediction:
    """One decision on one idea; a figure that is not known is None, and ``refusal`` says why.

    ``hard`` marks what a healthy model never does: a NaN, another schema, a damaged file. A model
    in ``shadow`` takes nothing, whatever its stake.
    """

    idea_id: str
    version: int
    feature_hash: str
    symbol: str
    bar_start: datetime
    vector: tuple[float | None, ...] = ()
    probability: float | None = None
    stake: float | None = None
    taken: bool = False
    refusal: str = ""
    hard: bool = False
    microseconds: int = 0
    contributions: Mapping[str, float] = field(default_factory=dict)
    regime: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedPrediction:
    """A decision with its outcome: ``net`` is None while that is not known."""

    idea_id: str
    probability: float | None
    taken: bool
    refusal: str
    hard: bool
    net: float | None


@dataclass(frozen=True, slots=True)
class MeasuredDrift:
    """How far each feature is from what the champion learnt: name, index, largest healthy index.

    Of so many ``vectors`` that it saw of late; ``unknown`` says why nothing could be told.
    """

    model: str
    vectors: int
    features: tuple[tuple[str, float, float], ...] = ()
    unknown: str = ""


class ModelRegistry(Protocol):
    """The models' files, versions and aliases; OSError where it does not answer."""

    async def register(
        self,
        run_id: str,
        content: bytes,
        parameters: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> int:
        """Keep a model, once for each run; return its version."""
        ...

    async def set_alias(self, alias: str, version: int) -> None:
        """Let an alias mean a version."""
        ...

    async def get_model_version_by_alias(self, alias: str) -> int | None:
        """Return the version that an alias means, None where there is none."""
        ...

    async def content(self, version: int) -> bytes:
        """Return a version's document, unchecked."""
        ...


class ModelRecord(Protocol):
    """What the record keeps of models and their decisions; OSError where it does not answer."""

    async def champion(self) -> ChampionInForce:
        """Return who decides now."""
        ...

    async def in_shadow(self) -> RegisteredModel | None:
        """Return the model that decides in shadow, None where none does."""
        ...

    async def save_bars(self, bars: Sequence[Candle]) -> None:
        """Write down the days that decisions rest on, so that they can be replayed."""
        ...

    async def log_prediction(self, prediction: LoggedPrediction) -> None:
        """Write a decision down, once for each idea."""
        ...


class Signatures(Protocol):
    """Whoever tells whether a signature is that of this installation."""

    def verifies(self, text: str, signature: str) -> bool:
        """Tell whether the text was signed by the installation's key for models."""
        ...


def signed_text(model: RegisteredModel) -> str:
    """Return what is signed of a model: all that pins it, except the registry's own number."""
    parts = (model.run_id, model.trial, model.sha256, model.feature_hash, model.data_hash)
    return "\n".join(("aether-model/v1", *parts, model.code_version)) + "\n"
