"""Configuration: typed, frozen, from align.toml and NEO4J_*; the only reader of the environment."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, model_validator

from neo4j_align.errors import ConfigError
from neo4j_align.settings import Candidates, Frozen, History, Name, Sampling, Sync, Training
from neo4j_align.wording import problems

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OWN_LABELS = frozenset({"AlignChange", "AlignEvent", "AlignJob", "AlignLease", "AlignRun", "AlignState"})
OWN_RELATIONS = frozenset({"SAME_AS", "NOT_SAME_AS"})
Probability = Annotated[float, Field(ge=0, le=1)]
Kind = Literal["name", "text", "number", "date"]
Cardinality = Literal["auto", "one", "many"]


class Connection(Frozen):
    """How to reach a Neo4j; the password never shows in a repr, a log or an error."""

    uri: str = "neo4j://localhost:7687"
    """Of the server: `neo4j://`, `bolt://`, with TLS `neo4j+s://`, `bolt+s://`."""
    username: str = "neo4j"
    """Who may read, and write for what writes."""
    password: SecretStr = SecretStr("")
    """Rather in a file that `NEO4J_PASSWORD_FILE` names."""
    database: str | None = None
    """Its name; by default the user's home database."""

    @classmethod
    def from_environment(cls, **overrides: str | None) -> Connection:
        """Read NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD and NEO4J_DATABASE.

        An Aura credentials file (lines `NEO4J_URI=…`) named by NEO4J_CREDENTIALS_FILE fills what the
        environment leaves open, and NEO4J_PASSWORD_FILE names a file that holds the password alone.
        `overrides` that are not None come first.

        Raises:
            ConfigError: A named file cannot be read.
        """
        values = _credentials_file(os.environ.get("NEO4J_CREDENTIALS_FILE"))
        if password_file := os.environ.get("NEO4J_PASSWORD_FILE"):
            values["password"] = _read_text(Path(password_file)).strip()
        for field in cls.model_fields:
            if value := os.environ.get(f"NEO4J_{field.upper()}"):
                values[field] = value
        values.update({name: value for name, value in overrides.items() if value is not None})
        return cls.model_validate(values)


def has_connection() -> bool:
    """Tell whether the environment names a Neo4j."""
    return bool(os.environ.get("NEO4J_URI") or os.environ.get("NEO4J_CREDENTIALS_FILE"))


def server_home() -> Path | None:
    """Return the folder of the embedded server that NEO4J_ALIGN_HOME names, if it does."""
    home = os.environ.get("NEO4J_ALIGN_HOME")
    return Path(home).expanduser() if home else None


def ray_address() -> str | None:
    """Return the Ray cluster that RAY_ADDRESS names, if it does."""
    return os.environ.get("RAY_ADDRESS") or None


def kernels() -> str:
    """Return whose kernels NEO4J_ALIGN_KERNELS asks for; without it PyTorch's."""
    return os.environ.get("NEO4J_ALIGN_KERNELS") or "torch"


def _credentials_file(path: str | None) -> dict[str, str]:
    if not path:
        return {}
    lines = (line.strip() for line in _read_text(Path(path)).splitlines())
    pairs = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    fields = {name: pairs.get(f"NEO4J_{name.upper()}") for name in Connection.model_fields}
    return {name: value.strip().strip("'\"") for name, value in fields.items() if value}


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}. Check the path and its rights.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text. Save it as UTF-8.") from error


class Side(Frozen):
    """One of the two graphs: the nodes with a label, or with a property value, and their key."""

    label: Name | None = None
    """Label of all its nodes; or, instead:"""
    property: Name | None = None
    """a property of all its nodes,"""
    value: str | int | bool | None = None
    """and the value that it has on this side."""
    key: Name
    """Property that tells entities apart and stays the same: yours, not Neo4j's internal id."""

    @model_validator(mode="after")
    def _one_scope(self) -> Side:
        if (self.label is None) == (self.property is None):
            raise ValueError("a side is given either by `label` or by `property` and `value`")
        if self.property is not None and self.value is None:
            raise ValueError("`property` needs a `value`")
        return self


class Attribute(Frozen):
    """A property of the left type and its counterpart on the right; either may be missing."""

    name: Name
    """What it is called here; the same name in several types means one kind of value."""
    left: Name | None = None
    """The property on the left."""
    right: Name | None = None
    """The property on the right."""
    kind: Kind = "text"
    """`name` names the entity (one for each type); `text`, `number`, `date` (also a year) say how to compare."""

    @model_validator(mode="after")
    def _somewhere(self) -> Attribute:
        if self.left is None and self.right is None:
            raise ValueError(f"attribute {self.name!r} has neither `left` nor `right`")
        return self


class EntityType(Frozen):
    """A label of the left graph and its counterpart on the right; either may be missing."""

    name: Name
    """What it is called in results."""
    left: Name | None = None
    """The label on the left."""
    right: Name | None = None
    """The label on the right."""
    cardinality: Cardinality = "auto"
    """Whether an entity has `one` link at most or `many`; `auto` takes it from the labels of training."""
    threshold: Probability | None = None
    """The least confidence of a link; comes before what was learned and before `--precision`."""
    attributes: tuple[Attribute, ...] = ()
    """What is compared."""

    @property
    def aligned(self) -> bool:
        """Whether both sides have this type, so that its entities are compared."""
        return self.left is not None and self.right is not None

    @property
    def name_attribute(self) -> Attribute | None:
        """The attribute that names an entity: the first of kind `name`, else the first of kind `text`."""
        by_kind = {kind: [a for a in self.attributes if a.kind == kind] for kind in ("name", "text")}
        return next(iter(by_kind["name"] + by_kind["text"]), None)


class Relation(Frozen):
    """A relationship type of the left graph and its counterpart on the right; either may be missing.

    With `inverse`, the left relationship points the other way than the right one.
    """

    name: Name
    """What it is called here."""
    left: Name | None = None
    """The relationship type on the left."""
    right: Name | None = None
    """The relationship type on the right."""
    inverse: bool = False
    """Whether the left one points the other way than the right one."""


class Config(Frozen):
    """The mapping of the two graphs to each other, every setting that can change a link, and what runs keep."""

    left: Side
    right: Side
    types: tuple[EntityType, ...]
    relations: tuple[Relation, ...] = ()
    sampling: Sampling = Sampling()
    candidates: Candidates = Candidates()
    training: Training = Training()
    history: History = History()
    sync: Sync = Sync()

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        for what in ("types", "relations"):
            entries = getattr(self, what)
            names = [entry.name for entry in entries]
            if repeated := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"names of `{what}` must differ; repeated: {', '.join(repeated)}")
            if empty := [e.name for e in entries if e.left is None and e.right is None]:
                raise ValueError(f"`{what}` entry without `left` and `right`: {', '.join(empty)}")
        self._check_sides()
        self._check_attributes()
        if not any(entity_type.aligned for entity_type in self.types):
            raise ValueError("no entry of `types` has both `left` and `right`: nothing to align")
        return self

    def _check_sides(self) -> None:
        if self.left.model_dump(exclude={"key"}) == self.right.model_dump(exclude={"key"}):
            raise ValueError("`left` and `right` are the same graph: give them different labels or values")
        for side in ("left", "right"):
            labels = [getattr(entry, side) for entry in self.types if getattr(entry, side) is not None]
            types = [getattr(entry, side) for entry in self.relations if getattr(entry, side) is not None]
            if own := sorted(OWN_LABELS & set(labels)) + sorted(OWN_RELATIONS & set(types)):
                raise ValueError(f"{own[0]} belongs to neo4j-align and cannot be mapped")
            if repeated := sorted({name for name in types if types.count(name) > 1}):
                raise ValueError(f"a relationship type has one place in `relations`; repeated: {', '.join(repeated)}")

    def _check_attributes(self) -> None:
        kinds: dict[str, Kind] = {}
        for entity_type in self.types:
            names = [attribute.name for attribute in entity_type.attributes]
            if repeated := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"attributes of {entity_type.name!r} must differ; repeated: {', '.join(repeated)}")
            for attribute in entity_type.attributes:
                if kinds.setdefault(attribute.name, attribute.kind) != attribute.kind:
                    raise ValueError(f"attribute {attribute.name!r} is of two kinds: use one kind, or two names")

    @property
    def slots(self) -> tuple[Attribute, ...]:
        """The distinct attributes of all types, by name: one column of values each."""
        slots: dict[str, Attribute] = {}
        for entity_type in self.types:
            for attribute in entity_type.attributes:
                slots.setdefault(attribute.name, attribute)
        return tuple(slots.values())

    @property
    def type_names(self) -> tuple[str, ...]:
        """The names of all types, in order."""
        return tuple(entity_type.name for entity_type in self.types)

    def decisions(self, thresholds: Sequence[float], exclusive: Sequence[bool]) -> tuple[list[float], list[bool]]:
        """Return per type the least confidence of a link and whether links are one-to-one.

        What the configuration says comes before what was learned.
        """
        rows = list(zip(self.types, thresholds, exclusive, strict=True))
        least = [learned if kind.threshold is None else kind.threshold for kind, learned, _ in rows]
        alone = [learned if kind.cardinality == "auto" else kind.cardinality == "one" for kind, _, learned in rows]
        return least, alone

    def many(self, exclusive: Sequence[bool]) -> list[str]:
        """Return the names of the types whose entities may have several links, by configuration or as learned."""
        _, alone = self.decisions([0.0] * len(self.types), exclusive)
        return [name for name, one in zip(self.type_names, alone, strict=True) if not one]

    def digest(self) -> str:
        """Return the first 16 hex digits of the SHA-256 of all that can change a link."""
        return hashlib.sha256(self.model_dump_json(exclude={"history", "sync"}).encode()).hexdigest()[:16]

    def learned(self) -> dict[str, Any]:
        """Return what a model is bound to: the mapping and how it is looked at, not sides, thresholds or training."""
        left_out = dict.fromkeys(("left", "right", "training", "history", "sync"), True)
        types = {"__all__": {"threshold", "cardinality"}}
        return self.model_dump(mode="json", exclude={**left_out, "types": types})


def load_config(path: Path) -> Config:
    """Read and check an align.toml.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit; the message names each place.
    """
    if not path.exists():
        raise ConfigError(f"{path} does not exist. Run `neo4j-align init` to make one, or give --config.")
    try:
        return parse_config(tomllib.loads(_read_text(path)))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_config(document: dict[str, Any]) -> Config:
    """Check a parsed document against the schema.

    Raises:
        ConfigError: It does not fit; the message names each place.
    """
    try:
        return Config.model_validate(document)
    except ValidationError as error:
        raise ConfigError("; ".join(problems(error))) from error
