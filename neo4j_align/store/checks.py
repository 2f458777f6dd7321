"""What stands in the way of an alignment, each with its remedy: packages, rights, mapping, indexes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from typing import Literal

from packaging.version import Version

from neo4j_align.config import Attribute, Config, EntityType, Relation, Side
from neo4j_align.errors import AlignError
from neo4j_align.records import LEFT, RIGHT
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database
from neo4j_align.store.introspect import Scope

OLDEST_TORCH = Version("2.4")
CONSTRAINTS = (  # what each makes unique (of nodes?, of what, which property), and the file that creates it
    ((False, "SAME_AS", "pair"), "ensure_link_constraint"),
    ((False, "NOT_SAME_AS", "pair"), "ensure_rejection_constraint"),
    ((True, "AlignRun", "id"), "ensure_run_constraint"),
    ((True, "AlignChange", "id"), "ensure_change_constraint"),
    ((True, "AlignState", "name"), "ensure_state_constraint"),
    ((True, "AlignLease", "name"), "ensure_lease_constraint"),
    ((True, "AlignJob", "id"), "ensure_job_constraint"),
)
_CREATE = "Run `neo4j-align check --create-indexes`."


@dataclass(frozen=True)
class Problem:
    """Something that is wrong; with an error nothing can be aligned, with a warning less well."""

    level: Literal["error", "warning"]
    what: str
    remedy: str

    @classmethod
    def of(cls, error: AlignError) -> Problem:
        """Take the problem and the remedy from a message of ours."""
        what, _, remedy = str(error).partition(". ")
        return cls("error", what, remedy or "Correct it and check again.")


@dataclass
class Findings:
    """All that was looked at."""

    server: str | None = None
    packages: dict[str, str | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way."""
        return not any(problem.level == "error" for problem in self.problems)


def check(connect: Callable[[], Database], read_config: Callable[[], Config], create: bool) -> Findings:
    """Check everything that can still be checked after each failure; `create` adds missing indexes first."""
    found = Findings()
    found.packages = {"torch": _version("torch")}
    found.problems += check_packages(**found.packages)
    config = None
    try:
        config = read_config()
    except AlignError as error:
        found.problems.append(Problem.of(error))
    try:
        with connect() as database:
            found.server = database.server
            found.problems += check_rights(database)
            if config is not None:
                wrong = check_mapping(database, config)
                found.problems += wrong
                if create and not any(problem.level == "error" for problem in wrong):
                    create_indexes(database, config)
                found.problems += check_indexes(database, config)
    except AlignError as error:
        found.problems.append(Problem.of(error))
    return found


def check_packages(torch: str | None) -> list[Problem]:
    """Check the version of what computes."""
    if torch is None:
        return [Problem("error", "torch is not installed", "pip install torch")]
    if Version(torch) < OLDEST_TORCH:
        return [Problem("error", f"torch {torch} is too old", f"pip install 'torch>={OLDEST_TORCH}'")]
    return []


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def check_rights(database: Database) -> list[Problem]:
    """Check that nodes and relationships can be written: in one transaction, which deletes them again."""
    try:
        database.write(queries.load("schema/probe_write").render())
    except AlignError as error:
        remedy = "Let the user write to this database (`GRANT WRITE`), on a server that is not read-only."
        return [Problem("error", f"Cannot write: {Problem.of(error).what}", remedy)]
    return []


def check_mapping(database: Database, config: Config) -> list[Problem]:
    """Check that the database has all that the configuration names, and that the keys are keys."""
    return (
        [*_repeated("types", config.types), *_repeated("relations", config.relations)]
        + [
            problem
            for side, name in ((LEFT, "left"), (RIGHT, "right"))
            for problem in _check_side(database, config, side, name)
        ]
        + list(_check_both(database, config.left.label, config.right.label))
    )


def _check_both(database: Database, left: str | None, right: str | None) -> Iterator[Problem]:
    if left is None or right is None:
        return
    query = queries.load("schema/count_both").render(left=schema.quote(left), right=schema.quote(right))
    if count := database.read(query)[0]["nodes"]:
        what = f"{count:,} nodes have both labels, {left} and {right}, so they are of both graphs"
        yield Problem("warning", what, "Take one of the labels away.")


def _repeated(where: str, entries: Iterable[EntityType | Relation]) -> Iterator[Problem]:
    for side in ("left", "right"):
        names = Counter(getattr(entry, side) for entry in entries)
        for name, count in names.items():
            if name is not None and count > 1:
                what = f"{side}: {name} stands {count} times in `{where}`"
                yield Problem("error", what, "Leave one entry for it.")


def _check_side(database: Database, config: Config, side: int, name: str) -> Iterator[Problem]:
    own = schema.side_of(config, side)
    labels = [label for t in config.types if (label := _on(side, t)) is not None]
    counts = _counts(database, own, labels)
    if not counts["nodes"]:
        what = f"{name}: no node with {Scope.of(own)} has one of the labels {', '.join(labels)}"
        yield Problem("error", what, "Load the graph, or correct the side and its types in the configuration.")
        return
    if missing := counts["nodes"] - counts["present"]:
        what = f"{name}: {missing:,} of {counts['nodes']:,} nodes have no {own.key}, the key"
        yield Problem("error", what, "Give them one, or choose another `key`.")
    if repeated := counts["present"] - counts["different"]:
        what = f"{name}: {repeated:,} nodes have a value of {own.key}, the key, that another node has"
        yield Problem("error", what, "Make the values unique, or choose another `key`.")
    if counts["unfit"]:
        what = f"{name}: {counts['unfit']:,} nodes have a {own.key}, the key, that is neither text nor a whole number"
        yield Problem("error", what, f"Find them by `NOT n.{own.key} IS :: STRING | INTEGER`, and correct them.")
    for entity_type in config.types:
        yield from _check_type(database, own, side, name, entity_type)
    yield from _check_relations(database, config, side, name, labels)


def _on(side: int, entry: EntityType | Relation | Attribute) -> str | None:
    return entry.right if side == RIGHT else entry.left


def _counts(database: Database, side: Side, labels: list[str]) -> dict[str, int]:
    if not labels:
        return {"nodes": 0}
    scope = Scope.of(side)
    query = queries.load("schema/count_key").render(entity=scope.entity(labels))
    counts: dict[str, int] = database.read(query, key=side.key, **scope.parameters)[0]
    return counts


def _check_type(database: Database, own: Side, side: int, name: str, entity_type: EntityType) -> Iterator[Problem]:
    label = _on(side, entity_type)
    if label is None:
        return
    scope = Scope.of(own)
    properties = [found for attribute in entity_type.attributes if (found := _on(side, attribute)) is not None]
    query = queries.load("schema/count_properties").render(entity=scope.entity([label]))
    rows = database.read(query, properties=properties, **scope.parameters)
    filled = {row["name"]: row["nodes"] for row in rows}
    if not filled.get(None):
        yield Problem("error", f"{name}: no node has the label {label}", f"Correct the type {entity_type.name}.")
        return
    for missing in (found for found in properties if not filled[found]):
        what = f"{name}: no node with the label {label} has the property {missing}"
        yield Problem("error", what, f"Correct the attributes of the type {entity_type.name}.")
    if entity_type.aligned and not properties:
        what = f"{name}: the type {entity_type.name} has no attributes; only neighbours tell its entities apart"
        yield Problem("warning", what, "Map a property that names them.")


def _check_relations(database: Database, config: Config, side: int, name: str, labels: list[str]) -> Iterator[Problem]:
    scope = Scope.of(schema.side_of(config, side))
    query = queries.load("schema/count_relationships").render(side=scope.entity())
    found = {row["name"] for row in database.read(query, types=labels, **scope.parameters)}
    for relation in config.relations:
        mapped = _on(side, relation)
        if mapped is not None and mapped not in found:
            what = f"{name}: no two nodes with {scope} are joined by a relationship {mapped}"
            yield Problem("error", what, f"Correct the relation {relation.name}.")


@dataclass(frozen=True)
class _Index:
    """An index of one property; `unique` where a constraint stands behind it."""

    of_nodes: bool
    name: str
    property: str
    unique: bool


def check_indexes(database: Database, config: Config) -> list[Problem]:
    """Check that keys are found by an index, and that nothing of ours can be there twice."""
    indexes = _indexes(database)
    problems = []
    for side, label in _missing_keys(config, indexes):
        what = f"{side.key} of the nodes with the label {label} has no index: finding them takes very long"
        problems.append(Problem("error", what, _CREATE))
    for label in _stamped(config):
        if not any(one.of_nodes and (one.name, one.property) == (label, config.sync.property) for one in indexes):
            what = f"{config.sync.property} of the nodes with the label {label} has no index: each sync reads them all"
            problems.append(Problem("warning", what, _CREATE))
    for (of_nodes, name, key), _ in CONSTRAINTS:
        if _Index(of_nodes, name, key, unique=True) not in indexes:
            what = f"{key} of {name} has no uniqueness constraint yet"
            problems.append(Problem("warning", what, f"{_CREATE} `neo4j-align align` creates it as well."))
    return problems


def create_indexes(database: Database, config: Config) -> None:
    """Create the missing indexes and constraints; those that are there are left alone.

    A side that is a label gets a uniqueness constraint for its key. Where a side is a property's value, the
    other side may have the same keys under the same labels, so the labels of its types get plain indexes.
    """
    for side, label in _missing_keys(config, _indexes(database)):
        file = "create_key_index" if side.label is None else "create_key_constraint"
        database.write(queries.load(f"schema/{file}").render(**schema.key_index(label, side.key)))
    for _, file in CONSTRAINTS:
        database.write(queries.load(f"schema/{file}").render())
    for index in ("ensure_job_index", "ensure_decision_index"):
        database.write(queries.load(f"schema/{index}").text)
    for label in _stamped(config):
        names = schema.key_index(label, str(config.sync.property))
        database.write(queries.load("schema/create_key_index").render(**names))


def _stamped(config: Config) -> list[str]:
    """Return the labels of the nodes whose last-modified property tells of changes."""
    labels = {label for kind in config.types for label in (kind.left, kind.right) if label}
    return [] if config.sync.property is None else sorted(labels)


def _indexes(database: Database) -> set[_Index]:
    rows = database.read(queries.load("schema/show_indexes").render())
    return {
        _Index(row["of_nodes"], row["name"], row["properties"][0], row["unique"])
        for row in rows
        if len(row["properties"]) == 1
    }


def _missing_keys(config: Config, indexes: set[_Index]) -> Iterator[tuple[Side, str]]:
    for index, side in enumerate((config.left, config.right)):
        indexed = {found.name for found in indexes if found.of_nodes and found.property == side.key}
        labels = {label for entity_type in config.types if (label := _on(index, entity_type)) is not None}
        if side.label in indexed or labels <= indexed:
            continue
        for label in [side.label] if side.label is not None else sorted(labels - indexed):
            yield side, label
