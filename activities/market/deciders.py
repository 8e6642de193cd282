"""The deciders of the models at work, loaded beside the market: nobody who decides waits for one.

A registry that hangs, or a file that is damaged, costs whoever loads its time, and each idea
meanwhile a refusal that says so. A failure is remembered for a while.
"""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from activities.ports.learning.models import (
    ChampionInForce,
    ModelRecord,
    ModelRegistry,
    RegisteredModel,
    Signatures,
)
from models.contracts.learning import CHAMPION, NO_TRADE, UNREACHED

if TYPE_CHECKING:
    from activities.learning.deciding import Decider

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
"""Who is champion, and who decides in shadow, is asked so often, and when one was missed."""
LOAD_SECONDS = 30.0
FAILED_SECONDS = 60.0
"""How long a load that failed is not tried again."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The decider of one model; ``refusal`` says why there is none."""

    number: int
    decider: "Decider | None"
    refusal: str = ""
    hard: bool = False
    failed_at: float = 0.0

    def serves(self, number: int) -> bool:
        """Tell whether there is nothing to load: it is there, or has failed a moment ago."""
        if self.number != number:
            return False
        return self.decider is not None or time.monotonic() < self.failed_at + FAILED_SECONDS


class Deciders:
    """Hold what is loaded: of the champion by its number, of the shadow by its version."""

    def __init__(
        self, record: ModelRecord, registry: ModelRegistry, signatures: Signatures
    ) -> None:
        self._record = record
        self._registry = registry
        self._signatures = signatures
        self._champion: Loaded | None = None
        self._shadow: Loaded | None = None
        self._missed = asyncio.Event()
        self._loading = asyncio.Lock()

    def of_champion(self, champion: ChampionInForce, model: RegisteredModel) -> Loaded:
        """Return what there is of the champion, at once."""
        return self._known(self._champion, champion.number, model)

    def of_shadow(self, model: RegisteredModel) -> Loaded:
        """Return what there is of the model in shadow, at once."""
        return self._known(self._shadow, model.version, model)

    def _known(self, known: Loaded | None, number: int, model: RegisteredModel) -> Loaded:
        if known is not None and known.number == number:
            if not known.serves(number):
                self._missed.set()
            return known
        self._missed.set()
        return Loaded(number, None, f"{UNREACHED}: version {model.version} is not loaded yet")

    async def keep(self, *, of_champion: bool) -> None:
        """Load whoever comes to decide, for ever."""
        while True:
            self._missed.clear()
            try:
                await self.load(of_champion=of_champion)
            except OSError:
                log.warning("nobody knows whose model is to be loaded", exc_info=True)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._missed.wait()
            except TimeoutError:
                continue

    async def load(self, *, of_champion: bool) -> None:
        """Load who decides now and is not there; of the champion only where it may decide.

        OSError where the record does not answer; whatever else fails is a refusal.
        """
        async with self._loading:
            champion = await self._record.champion()
            shadow = await self._record.in_shadow()
            # At once: neither waits for what the other's file costs.
            await asyncio.gather(
                self._load_champion(champion if of_champion else None), self._load_shadow(shadow)
            )

    async def _load_champion(self, champion: ChampionInForce | None) -> None:
        if champion is None or champion.run_id == NO_TRADE or champion.model is None:
            self._champion = None
        elif self._champion is None or not self._champion.serves(champion.number):
            number, model = champion.number, champion.model
            self._champion = await _or_refusal(number, self._read_champion(number, model))

    async def _load_shadow(self, model: RegisteredModel | None) -> None:
        if model is None:
            self._shadow = None
        elif self._shadow is None or not self._shadow.serves(model.version):
            self._shadow = await _or_refusal(model.version, self._read(model.version, model))

    async def _read_champion(self, number: int, model: RegisteredModel) -> Loaded:
        alias = await self._registry.get_model_version_by_alias(CHAMPION)
        if alias != model.version:
            raise ConnectionError(
                f"the registry's champion is version {alias}, the record's {model.version}"
            )
        return await self._read(number, model)

    async def _read(self, number: int, model: RegisteredModel) -> Loaded:
        # Numeric libraries take seconds to load, which the prices must not wait for either.
        content = await self._registry.content(model.version)
        made = await asyncio.to_thread(_made, number, content, model, self._signatures)
        log.info("model loaded", version=model.version, trial=model.trial, refusal=made.refusal)
        return made


async def _or_refusal(number: int, reading: Awaitable[Loaded]) -> Loaded:
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            return await reading
    except Exception as error:
        log.warning("a model is not loaded", number=number, exc_info=True)
        words = str(error) or type(error).__name__
        return Loaded(number, None, f"{UNREACHED}: {words}", failed_at=time.monotonic())


def _made(number: int, content: bytes, model: RegisteredModel, signatures: Signatures) -> Loaded:
    from activities.learning.deciding import Decider, ModelRefusedError, checked_document

    try:
        return Loaded(number, Decider(checked_document(content, model, signatures)))
    except ModelRefusedError as error:
        return Loaded(number, None, str(error), hard=True, failed_at=time.monotonic())
