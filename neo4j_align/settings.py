"""The sections of align.toml that are numbers and choices: typed and frozen, each with defaults that serve."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[int, Field(gt=0)]


class Frozen(BaseModel):
    """What all parts of a configuration are: unchangeable, and without entries that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sampling(Frozen):
    """Neighbours drawn for each node (design, section 5)."""

    neighbours: Positive = 10
    seed: int = 13


class Candidates(Frozen):
    """Blocking: how many counterparts of an entity are looked at."""

    per_entity: Positive = 10
    max_frequency: Positive = 500


class Training(Frozen):
    """The network and how it is trained; the defaults serve every data set of the benchmarks."""

    width: Positive = 64
    epochs: Positive = 40
    patience: Annotated[int, Field(ge=2)] = 5
    batch_size: Positive = 2048
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    seed: int = 13


class History(Frozen):
    """How long single changes are kept, to undo a run: those of the last runs, and those of the last days."""

    days: Annotated[int, Field(ge=0)] = 30
    runs: Positive = 20


class Sync(Frozen):
    """How `sync` finds out what changed.

    Attributes:
        feed: `scan` reads the graph and compares; `property` asks for entities whose `property` (an indexed
            last-modified time or number) has grown; `trigger` has APOC write down each change; `cdc` asks Neo4j's own
            log of changes (Enterprise and Aura).
        property: name of that property, on the nodes of all mapped types.
        overlap: how far behind the latest value, in seconds or in the property's own unit, a change may become visible
            whose transaction was long.
        scan_hours: after so many hours the graph is read all the same, for what `property` cannot see, such as a
            relationship whose ends were not touched.
    """

    feed: Literal["scan", "property", "trigger", "cdc"] = "scan"
    property: str | None = None
    overlap: Annotated[int, Field(ge=0)] = 60
    scan_hours: Annotated[float, Field(gt=0)] = 24

    @model_validator(mode="after")
    def _named(self) -> Sync:
        if (self.feed == "property") != (self.property is not None):
            raise ValueError('`property` is the name of a property for feed = "property", and for no other feed')
        return self
