"""`load`, `init` and `check` against a real Neo4j, as a user calls them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from neo4j_align.config import Config, load_config
from neo4j_align.store.database import Database
from tests.integration.conftest import EXAMPLE, Run, document

SIDES = ("--left-label", "Left", "--right-label", "Right")


def graph(database: Database) -> list[Any]:
    """Return the whole graph, in an order that is always the same."""
    nodes = "MATCH (n) RETURN labels(n) AS labels, properties(n) AS properties ORDER BY labels, properties.uid"
    edges = "MATCH (a)-[r]->(b) RETURN a.uid AS start, type(r) AS type, b.uid AS end ORDER BY start, type, end"
    return [database.read(nodes), database.read(edges)]


def pairs(config: Config, what: str) -> dict[str, str]:
    return {entry.left: entry.right for entry in getattr(config, what) if entry.left and entry.right}


def test_load_gives_each_node_the_label_of_its_side_and_its_type(run: Run, database: Database) -> None:
    loaded = document(run("load", EXAMPLE, *SIDES, "--json"))

    lines = [len((EXAMPLE / f"{side}.nodes.jsonl").read_text().splitlines()) for side in ("left", "right")]
    counts = "MATCH (n:Left|Right) RETURN head([l IN labels(n) WHERE l IN $sides]) AS side, count(*) AS n ORDER BY side"
    assert [row["n"] for row in database.read(counts, sides=["Left", "Right"])] == lines
    assert loaded["nodes"] == sum(lines)
    assert database.read("MATCH ()-->() RETURN count(*) AS n")[0]["n"] == loaded["relationships"]
    first = json.loads((EXAMPLE / "left.nodes.jsonl").read_text().splitlines()[0])
    node = database.read("MATCH (n:Left {uid: $uid}) RETURN n, labels(n) AS labels", uid=first["uid"])[0]
    assert sorted(node["labels"]) == sorted(["Left", first.pop("type")])
    assert node["n"] == first


def test_loading_again_changes_nothing(run: Run, database: Database) -> None:
    assert "Next: neo4j-align init --left-label Left --right-label Right" in run("load", EXAMPLE, *SIDES).stdout
    before = graph(database)
    run("load", EXAMPLE, *SIDES)
    assert graph(database) == before


def test_load_writes_nothing_when_a_line_is_wrong(run: Run, database: Database, tmp_path: Path) -> None:
    for file in [*EXAMPLE.glob("*.jsonl"), *EXAMPLE.glob("*.edges.csv")]:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "right.edges.csv").open("a") as edges:
        edges.write("nobody,KNOWS,nobody\n")
    assert "right.edges.csv, line" in run("load", tmp_path, *SIDES, code=1).stderr
    assert graph(database) == [[], []]
    assert not database.read("SHOW CONSTRAINTS")


def test_init_finds_sides_types_attributes_and_relations_of_the_example(run: Run) -> None:
    run("load", EXAMPLE, *SIDES)
    written = document(run("init", "--json"))

    config = load_config(Path("align.toml"))
    expected = load_config(EXAMPLE / "align.toml")
    assert written["output"] == "align.toml"
    assert (config.left.label, config.right.label, config.left.key, config.right.key) == ("Left", "Right", "uid", "uid")
    assert pairs(config, "types") == pairs(expected, "types")
    assert pairs(config, "relations") == pairs(expected, "relations")
    inverse = [{relation.left for relation in found.relations if relation.inverse} for found in (config, expected)]
    assert inverse[0] == inverse[1]
    for entity_type in expected.types:
        found = next(entry for entry in config.types if entry.left == entity_type.left)
        attributes = [{(a.left, a.right, a.kind) for a in entry.attributes} for entry in (found, entity_type)]
        assert attributes[0] == attributes[1]


def test_init_does_not_overwrite(run: Run) -> None:
    run("load", EXAMPLE, *SIDES)
    Path("align.toml").write_text("mine")
    assert "--force" in run("init", code=1).stderr
    assert Path("align.toml").read_text() == "mine"
    assert "Cannot write" in run("init", "--output", "nowhere/align.toml", code=1).stderr
    run("init", "--force")
    load_config(Path("align.toml"))


def test_sides_may_be_values_of_a_property(run: Run, database: Database) -> None:
    run("load", EXAMPLE, *SIDES)
    database.write("MATCH (n:Left) REMOVE n:Left SET n.source = 'catalogue'")
    database.write("MATCH (n:Right) REMOVE n:Right SET n.source = 'wiki'")
    run("init", "--side-property", "source")

    config = load_config(Path("align.toml"))
    assert (config.left.property, config.left.value, config.right.value) == ("source", "catalogue", "wiki")
    assert pairs(config, "types") == pairs(load_config(EXAMPLE / "align.toml"), "types")
    assert "source" not in {a.left for entity_type in config.types for a in entity_type.attributes}
    found = document(run("check", "--json", code=1))
    assert {
        problem["what"].split(" has no index")[0] for problem in found["problems"] if problem["level"] == "error"
    } == {f"uid of the nodes with the label {label}" for pair in pairs(config, "types").items() for label in pair}
    assert document(run("check", "--create-indexes", "--json"))["problems"] == []
    with Path("align.toml").open("a", encoding="utf-8") as mapping:
        mapping.write('\n[sync]\nfeed = "property"\nproperty = "changed"\n')
    warned = document(run("check", "--json"))["problems"]
    labels = {label for pair in pairs(config, "types").items() for label in pair}
    assert {problem["what"].split(" has no index")[0] for problem in warned} == {
        f"changed of the nodes with the label {label}" for label in labels
    }
    assert document(run("check", "--create-indexes", "--json"))["problems"] == []


def test_nodes_of_no_type_are_told(run: Run, database: Database) -> None:
    run("load", EXAMPLE, *SIDES)
    database.write("CREATE (:Left {uid: 'odd'})")
    run("init")
    assert "1 of no type" in Path("align.toml").read_text()
    assert document(run("check", "--json"))["ok"]


def test_labels_and_a_property_exclude_each_other(run: Run) -> None:
    assert "Give either labels" in run("init", "--side-property", "s", "--left-label", "A", code=2).stderr


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        ("RETURN 1", (), "holds no nodes"),
        ("CREATE (:A {uid: 1})-[:R]->(:B {uid: 2})", (), "No two labels"),
        ("CREATE (:A:X {uid: 1}), (:B:Y {uid: 2})", (), "Several pairs of labels"),
        ("CREATE (:A {uid: 1}), (:B {uid: 2})", ("--left-label", "C", "--right-label", "B"), "label C"),
        ("CREATE (:A:B {uid: 1})", ("--left-label", "A", "--right-label", "B"), "both labels"),
        ("CREATE (:A {uid: 1, s: 'x'}), (:B {uid: 2})", ("--side-property", "s"), "must have two values"),
        ("CREATE (:A {uid: 1, s: [1]}), (:B {uid: 2})", ("--side-property", "s"), "neither text nor whole numbers"),
        ("CREATE (:A {n: 1}), (:A {n: 1}), (:B {n: 2})", (), "No property identifies"),
        ("CREATE (:A {n: ['a']}), (:A {n: ['b']}), (:B {n: ['c']})", (), "No property identifies"),
    ],
)  # fmt: skip
def test_init_says_what_it_needs(
    run: Run, database: Database, build: str, arguments: tuple[str, ...], message: str
) -> None:
    database.write(build)
    assert message in run("init", *arguments, code=1).stderr
    assert not Path("align.toml").exists()


def test_hostile_names_and_values_survive_init_and_check(run: Run, database: Database) -> None:
    """Names with quotes, line breaks, backticks and backslashes; points, vectors, odd lists, the tool's own nodes."""
    database.write(
        "CREATE (:`Le\"ft`:`Fi``lm\n` {`k'ey`: 'a', `na me`: $text, tags: ['x', 'y'], `b\\\\d`: 1})"
        "-[:`st\"ar\n` {x: 1}]->(:`Le\"ft`:`Per son` {`k'ey`: 'b', name: 'Ann', at: point({x: 1, y: 2})})"
        "CREATE (:Right:`Fi``lm\n` {`k'ey`: 1, `na me`: 'it is', vector: [0.1, 0.2], seen: date('2020-01-01')})"
        "-[:`st\"ar\n`]->(:Right:Человек {`k'ey`: 2, имя: 'Ann', odd: []})"
        "CREATE (:AlignRun {id: 'r'})",
        text='it\'s\n"x" ` \\ \u2028 é 😀 \x7f',
    )
    run("init", "--left-label", 'Le"ft', "--right-label", "Right")

    config = load_config(Path("align.toml"))
    assert config.left.key == "k'ey"
    assert pairs(config, "types")["Fi`lm\n"] == "Fi`lm\n"
    assert pairs(config, "relations") == {'st"ar\n': 'st"ar\n'}
    attributes = {name for entity_type in config.types for a in entity_type.attributes for name in (a.left, a.right)}
    assert attributes == {"na me", "tags", "name", "seen", "имя", None}
    assert document(run("check", "--create-indexes", "--json"))["problems"] == []
    text = Path("align.toml").read_text()
    empty = [line for line in text.splitlines() if line.startswith("# nothing to compare in ")]
    assert empty == ['# nothing to compare in - | "vector"', '# nothing to compare in "at" | "odd"']


def test_check_tells_each_problem_with_its_remedy(run: Run, database: Database) -> None:
    run("load", EXAMPLE, *SIDES)
    run("init")
    database.write("CREATE (:Left:Film {uid: 'extra'}), (:Right:Movie), (:Right:Movie)")
    text = Path("align.toml").read_text()
    text = text.replace('left = "runtime"', 'left = "run time"').replace('right = "CAST"', 'right = "CASTING"')
    Path("align.toml").write_text(text.replace('left = "Song"', 'left = "Sing"'))
    database.write("DROP CONSTRAINT $name".replace("$name", database.read("SHOW CONSTRAINTS")[0]["name"]))

    found = document(run("check", "--json", code=1))
    assert not found["ok"]
    assert found["server"].endswith("community")
    assert found["torch"]
    assert all(problem["remedy"] for problem in found["problems"])
    errors = "\n".join(problem["what"] for problem in found["problems"] if problem["level"] == "error")
    expected = ("2 of", "have no uid", "Film has the property run time", "label Sing", "CASTING", "has no index")
    assert all(part in errors for part in expected)
    assert "Sing" in run("check", code=1).stdout
    quiet = run("check", "--quiet", code=1)
    assert (quiet.stdout, "Sing" in quiet.stderr) == ("", True)


def test_check_finds_keys_that_are_there_twice(run: Run, database: Database) -> None:
    run("load", EXAMPLE, *SIDES)
    run("init")
    for row in database.read("SHOW CONSTRAINTS"):
        database.write(f"DROP CONSTRAINT `{row['name']}`")
    database.write("MATCH (n:Left) WITH n LIMIT 1 CREATE (:Left:Film {uid: n.uid})")
    found = document(run("check", "--create-indexes", "--json", code=1))
    assert any("1 nodes have a value of uid" in problem["what"] for problem in found["problems"])
    assert not database.read("SHOW CONSTRAINTS")


def test_check_finds_keys_that_can_be_none(run: Run, database: Database) -> None:
    run("load", EXAMPLE, *SIDES)
    run("init")
    database.write("MATCH (n:Right) WITH n LIMIT 2 SET n.uid = [n.uid]")
    database.write("MATCH (n:Right) WHERE n.uid IS :: STRING WITH n LIMIT 1 SET n.uid = 1.5")
    found = document(run("check", "--create-indexes", "--json", code=1))
    assert "right: 3 nodes have a uid, the key, that is neither text nor a whole number" in str(found["problems"])


def test_check_finds_nodes_of_both_graphs(run: Run, database: Database) -> None:
    run("load", EXAMPLE, *SIDES)
    run("init")
    run("check", "--create-indexes")
    database.write("MATCH (n:Left) WITH n LIMIT 2 SET n:Right")
    found = document(run("check", "--json"))
    assert [problem["what"] for problem in found["problems"]] == [
        "2 nodes have both labels, Left and Right, so they are of both graphs"
    ]


def test_check_creates_indexes_and_leaves_nothing_else(run: Run, database: Database) -> None:
    run("load", EXAMPLE, *SIDES)
    run("init")
    before = graph(database)
    first = document(run("check", "--json"))
    assert {problem["level"] for problem in first["problems"]} == {"warning"}
    assert document(run("check", "--create-indexes", "--json"))["problems"] == []
    constraints = {row["name"] for row in database.read("SHOW CONSTRAINTS")}
    assert {"align_same_as_pair", "align_not_same_as_pair", "align_run_id"} < constraints
    assert graph(database) == before


def test_check_goes_on_after_what_fails(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", "wrong")
    found = document(run("check", "--json", code=1))
    assert [problem["what"].split(" ")[-1] for problem in found["problems"]] == ["exist", "password"]
    assert found["server"] is None


REAL: dict[str, tuple[dict[str, str], dict[str, tuple[str, bool]]]] = {
    "movies": (
        {"Film": "Movie", "Person": "Name"},
        {"STARRING": ("HAS_ACTOR", False), "WRITER": ("HAS_DIRECTOR", False)},
    ),
    "screen": (
        {"Title": "Film", "Artist": "Person", "Job": "Profession"},
        {"APPEARS_IN": ("HAS_CAST", True), "WORKS_AS": ("HAS_PROFESSION", False)},
    ),
    "itunes-amazon": (
        {label: label for label in ("Song", "Artist", "Album", "Genre")},
        {name: (name, False) for name in ("HAS_GENRE", "BY_ARTIST", "ON_ALBUM")},
    ),
    "dblp-acm": (
        {label: label for label in ("Paper", "Author", "Venue")},
        {name: (name, False) for name in ("HAS_AUTHOR", "IN_VENUE")},
    ),
    "dbp15k-fr-en": ({"Entity": "Entity"}, {"R129": ("R2039", False), "R21": ("R2041", False)}),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_data_is_mapped_right(run: Run, name: str) -> None:
    if "ALIGN_DATA" not in os.environ:
        pytest.skip("ALIGN_DATA does not name the folder of the public data sets")
    run("load", Path(os.environ["ALIGN_DATA"]) / name, *SIDES)
    run("init")

    types, relations = REAL[name]
    config = load_config(Path("align.toml"))
    assert types.items() <= pairs(config, "types").items()
    found = {relation.left: (relation.right, relation.inverse) for relation in config.relations}
    assert relations.items() <= found.items()
    assert not any(relation.left == relation.right for relation in config.relations if name == "dbp15k-fr-en")
    assert document(run("check", "--json"))["ok"]
