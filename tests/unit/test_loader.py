"""Reading the files of two graphs: what is accepted, and where a refusal points."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neo4j_align.config import OWN_LABELS, OWN_RELATIONS
from neo4j_align.errors import DataError
from neo4j_align.store.loader import read_folder

NODES = '{"uid": "a", "type": "Film", "title": "Alien"}\n{"uid": "b", "type": "Person"}\n'
EDGES = "source,relation,target\na,STARS,b\n"


def write(folder: Path, **files: str | bytes) -> Path:
    """Write a good folder, but for the files given by name, as `left_nodes`."""
    for side in ("left", "right"):
        for kind, name, good in (("nodes", "nodes.jsonl", NODES), ("edges", "edges.csv", EDGES)):
            content = files.get(f"{side}_{kind}", good)
            data = content.encode() if isinstance(content, str) else content
            (folder / f"{side}.{name}").write_bytes(data)
    return folder


def test_reads_nodes_by_type_and_edges_by_relation(tmp_path: Path) -> None:
    nodes = NODES + '\n{"uid": "c", "type": "Film", "tags": ["x", "y"], "year": 1979, "seen": true, "gone": null}'
    left, right = read_folder(write(tmp_path, left_nodes=nodes, left_edges=EDGES + "c,STARS,b\na,STARS,b\n"), "L", "R")

    assert left.label == "L"
    assert left.nodes == {
        "Film": [
            {"uid": "a", "properties": {"title": "Alien"}},
            {"uid": "c", "properties": {"tags": ["x", "y"], "year": 1979, "seen": True}},
        ],
        "Person": [{"uid": "b", "properties": {}}],
    }
    assert left.relationships == {"STARS": [("a", "b"), ("c", "b")]}
    assert left.counts == (3, 2)
    assert right.counts == (2, 1)


def test_byte_order_marks_and_windows_lines_do_not_matter(tmp_path: Path) -> None:
    files = {name: ("\ufeff" + text).replace("\n", "\r\n") for name, text in (("nodes", NODES), ("edges", EDGES))}
    left, right = read_folder(write(tmp_path, left_nodes=files["nodes"], left_edges=files["edges"]), "L", "R")
    assert (left.nodes, left.relationships) == (right.nodes, right.relationships)


FILM = '{"uid": "a", "type": "Film"}\n'
REFUSED = [
    ("not JSON", "left_nodes", FILM + "{uid: b}", "left.nodes.jsonl, line 2: not JSON"),
    ("not an object", "left_nodes", FILM + "[1]", "line 2: not a JSON object"),
    ("not a number", "left_nodes", '{"uid": "a", "type": "Film", "x": NaN}', "line 1: NaN is not JSON"),
    ("no uid", "right_nodes", FILM + '{"type": "Film"}', "right.nodes.jsonl, line 2: the node has no `uid`"),
    ("a number as uid", "right_nodes", '{"uid": 1, "type": "Film"}', "line 1: its `uid` is no text, or empty"),
    ("no type", "left_nodes", FILM + '{"uid": "b", "type": ""}', "line 2: its `type` is no text, or empty"),
    ("a uid twice", "left_nodes", FILM + FILM, "line 2: the uid 'a' is there a second time"),
    ("the other side's label", "left_nodes", '{"uid": "a", "type": "R"}', "line 1: the type 'R' is also the label"),
    ("a label of the tool", "left_nodes", '{"uid": "a", "type": "AlignRun"}', "line 1: AlignRun belongs to neo4j"),
    ("a label nobody can quote", "left_nodes", '{"uid": "a", "type": "A\\\\B"}', "line 1: .* cannot be used"),
    ("an attribute nobody can quote", "left_nodes", '{"uid": "a", "type": "F", "": 1}', "line 1: attribute ''"),
    ("a nested value", "left_nodes", '{"uid": "a", "type": "F", "x": {}}', "line 1: attribute 'x': Neo4j cannot store"),
    ("a mixed list", "left_nodes", '{"uid": "a", "type": "F", "x": [1, "2"]}', "line 1: attribute 'x': Neo4j cannot"),
    ("a list with null", "left_nodes", '{"uid": "a", "type": "F", "x": [null]}', "line 1: attribute 'x': Neo4j cannot"),
    ("a huge number", "left_nodes", f'{{"uid": "a", "type": "F", "x": {2**63}}}', "line 1: attribute 'x': the number"),
    ("half a character", "left_nodes", '{"uid": "a", "type": "F", "x": "\\ud800"}', "line 1: attribute 'x': half"),
    ("another encoding", "left_nodes", FILM.encode() + "é".encode("latin-1"), "left.nodes.jsonl, line 2: not UTF-8"),
    ("no header", "left_edges", "a,STARS,b\n", "left.edges.csv, line 1: the first line must be source,relation,target"),
    ("an empty file", "left_edges", "", "left.edges.csv, line 1: the first line must be"),
    ("an unknown uid", "right_edges", EDGES + "a,STARS,x\n", "line 3: the target 'x' is not a uid"),
    ("too few values", "left_edges", EDGES + "a,b\n", "line 3: 2 values where source,relation,target are needed"),
    ("a relation of the tool", "left_edges", EDGES + "a,SAME_AS,b\n", "line 3: SAME_AS belongs to neo4j-align"),
    ("a relation nobody can quote", "left_edges", EDGES + "a,,b\n", "line 3: '' cannot be used"),
    ("an open quote", "left_edges", EDGES + '"a,STARS,b\n', "line 3: not CSV"),
    ("edges in another encoding", "left_edges", EDGES.encode() + b"\xff", "left.edges.csv, line 3: not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "content", "message"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED])
def test_says_file_and_line_of_what_it_refuses(tmp_path: Path, file: str, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_folder(write(tmp_path, **{file: content}), "L", "R")


def test_says_which_files_are_missing(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "left.edges.csv").unlink()
    with pytest.raises(DataError, match=r"lacks left\.edges\.csv\."):
        read_folder(tmp_path, "L", "R")


@pytest.mark.parametrize(("left", "right"), [("L", "L"), ("AlignRun", "R"), ("L", ""), ("L", "R\\")])
def test_refuses_side_labels_that_cannot_serve(tmp_path: Path, left: str, right: str) -> None:
    with pytest.raises(DataError, match="label"):
        read_folder(write(tmp_path), left, right)


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\\0"), min_size=1).filter(
    lambda name: name not in OWN_LABELS | OWN_RELATIONS | {"other side"}
)
scalars = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**63), 2**63 - 1), st.booleans())


@given(
    uids=st.dictionaries(names, st.tuples(names, st.dictionaries(names, scalars)), min_size=1, max_size=5),
    relation=names,
)
def test_whatever_the_writers_of_json_and_csv_write_is_read_back(
    uids: dict[str, tuple[str, dict[str, object]]], relation: str
) -> None:
    nodes = [{**properties, "uid": uid, "type": label} for uid, (label, properties) in uids.items()]
    edges = io.StringIO(newline="")
    rows = [(one, relation, other) for one in uids for other in uids]
    csv.writer(edges).writerows([("source", "relation", "target"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(map(json.dumps, nodes))
        written = write(Path(folder), left_nodes=text, left_edges=edges.getvalue())
        left, _ = read_folder(written, "this side", "other side")

    found = {
        row["uid"]: {"uid": row["uid"], "type": label, **row["properties"]}
        for label, rows in left.nodes.items()
        for row in rows
    }
    assert found == {node["uid"]: node for node in nodes}
    assert left.relationships == {relation: [(one, other) for one in uids for other in uids]}
