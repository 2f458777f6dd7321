"""The sections of align.toml that are numbers and choices: typed and frozen, each with defaults that serve."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]  # of something in the graph, or in align.toml


class Frozen(BaseModel):
    """What all parts of a configuration are: unchangeable, and without entries that nobody reads."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Sampling(Frozen):
    """Neighbours drawn for each node."""

    neighbours: Positive = 10
    """How many at most, at each of the two hops."""
    seed: int = 13
    """Of the draw; the same on both sides."""


class Candidates(Frozen):
    """Blocking: how many counterparts of an entity are looked at."""

    per_entity: Positive = 10
    """How many; twice as many while no counterpart is sure, and three beside a sure one."""
    max_frequency: Positive = 500
    """What more entities than this have as a neighbour (to an eighth), or as a word of its name, tells nothing."""


class Training(Frozen):
    """The network and how it is trained; the defaults serve every data set of the benchmarks."""

    width: Annotated[int, Field(gt=0, le=4096)] = 64
    """Of the network's vectors."""
    epochs: Positive = 40
    """At most."""
    patience: Annotated[int, Field(ge=2)] = 5
    """Epochs without a better validation before it stops; the best epoch is kept."""
    batch_size: Positive = 2048
    """Pairs a step of the network; the comparison takes a quarter of that at most."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    """Of the optimiser."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 1e-4
    """The same."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of a layer's values that a step leaves out."""
    seed: int = 13
    """Of weights, order and splits."""


class History(Frozen):
    """How long single changes are kept, to undo a run: those of the last runs, and those of the last days."""

    days: Annotated[int, Field(ge=0)] = 30
    """Changes are kept for so many days,"""
    runs: Positive = 20
    """and those of the last so many runs that changed something, whichever is more."""


class Sync(Frozen):
    """How `sync` finds out what changed."""

    feed: Literal["scan", "property", "trigger", "cdc"] = "scan"
    """`scan` reads the graph and compares; `property` asks for entities whose `property` (an indexed last-modified
    time or number) has grown; `trigger` has APOC write down each change; `cdc` asks Neo4j's own log of changes
    (Enterprise and Aura)."""
    property: str | None = None
    """Name of that property, on the nodes of all mapped types."""
    overlap: Annotated[int, Field(ge=0)] = 60
    """How far behind the latest value, in seconds or in the property's own unit, a change may become visible whose
    transaction was long."""
    scan_hours: Annotated[float, Field(gt=0)] = 24
    """After so many hours the graph is read all the same, for what `property` cannot see, such as a relationship whose
    ends were not touched."""

    @model_validator(mode="after")
    def _named(self) -> Sync:
        if (self.feed == "property") != (self.property is not None):
            raise ValueError('`property` is the name of a property for feed = "property", and for no other feed')
        return self
