"""The main job against a real Neo4j: train, align, evaluate, and what must not go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from neo4j_align import Aligner
from neo4j_align.cli.learn import read_table
from neo4j_align.config import Config, parse_config
from neo4j_align.errors import DataError, ModelError
from neo4j_align.gnn import score
from neo4j_align.gnn.saved import Model, load
from neo4j_align.looks import Looks
from neo4j_align.records import Verdicts
from neo4j_align.sight import Graph
from neo4j_align.store import entities, links, sampling, verdicts
from neo4j_align.store.database import Database
from neo4j_align.store.loader import read_folder, write_graph
from neo4j_align.text import LONGEST
from tests.integration.conftest import EXAMPLE, Run, document
from tests.unit.builders import config as mapping

LINKS = """
MATCH (l:Catalogue)-[s:SAME_AS]->(r:Wiki)
RETURN l.uid AS left, r.uid AS right, s.confidence AS confidence, s.status AS status, s.pair AS pair
ORDER BY left, right
"""


def written(database: Database) -> pd.DataFrame:
    return pd.DataFrame(database.read(LINKS))


def test_the_example_from_files_to_figures_on_the_command_line(run: Run, database: Database) -> None:
    run("load", EXAMPLE, "--left-label", "Catalogue", "--right-label", "Wiki")
    run("init", "--left-label", "Catalogue", "--right-label", "Wiki")
    assert document(run("check", "--json"))["ok"]
    trained = document(run("train", "--labels", EXAMPLE / "gold.csv", "--json"))
    aligned = document(run("align", "--json", "--profile"))
    again = document(run("align", "--json"))
    figures = document(run("evaluate", "--gold", EXAMPLE / "gold.csv", "--json"))

    assert trained["validation"]["f1"] > 0.9
    assert aligned["created"] == aligned["links"] == len(written(database))
    assert {"pull", "candidates", "score", "match", "write"} <= aligned["stages"].keys()
    assert all(stage["peak_bytes"] > 0 for stage in aligned["stages"].values())
    assert aligned["stages"]["score"]["per_second"] > 0
    assert (again["created"], again["updated"], again["retired"]) == (0, 0, 0)
    assert figures["f1"] > 0.9
    assert figures["pair_completeness"] > 0.98
    assert figures["types"].keys() == {"film", "artist", "song", "album"}


def test_the_named_hard_cases(example: Database, config: Config, model: Model) -> None:
    chosen = Aligner(config, example).align(model).links
    keys = {
        row["name"]: row["uid"]
        for row in example.read("MATCH (n:Catalogue) RETURN n.uid AS uid, coalesce(n.title, n.name) AS name")
    }
    counterpart = example.read("MATCH (n:Wiki {name: 'Aditya Raj Kapoor'}) RETURN n.uid AS uid")[0]["uid"]

    assert chosen.set_index("left")["right"][keys["Aditya Raj"]] == counterpart
    assert keys["Radioactive"] not in set(chosen["left"])
    assert keys["Demons"] in set(chosen["left"])


def test_the_right_reason_for_aditya_raj_is_his_films(example: Database, config: Config, model: Model) -> None:
    """One name within the other is no proof: without his films the score, a logit, falls by more than one."""
    key = example.read("MATCH (n:Catalogue {name: 'Aditya Raj'}) RETURN n.uid AS uid")[0]["uid"]
    before = Aligner(config, example).align(model).links.set_index("left").loc[key]
    example.write("MATCH (:Catalogue {name: 'Aditya Raj'})-[r]-() WHERE type(r) <> 'SAME_AS' DELETE r")

    found = Aligner(config, example)._judge(model)
    keys = found.judged.scene.graph.nodes.keys
    same = (keys[found.judged.pairs.left] == key) & (keys[found.judged.pairs.right] == before["right"])
    assert before["confidence"] > 0.9
    assert float(found.judged.confidence[same][0]) < before["confidence"]
    assert before["score"] - float(found.judged.logits[same][0]) > 1


def test_the_right_reason_for_radioactive_is_that_the_right_has_another_recording(
    example: Database, config: Config, model: Model
) -> None:
    """Turn the remix into the original: without its guest, of the same year, length and album."""
    example.write("MATCH (:Track {name: 'Radioactive'})-[r:PERFORMER]->(:Agent {name: 'Kendrick Lamar'}) DELETE r")
    example.write(
        "MATCH (song:Track {name: 'Radioactive'}), (album:Record {name: 'Night Visions'}) "
        "SET song.published = '2012', song.seconds = 187 CREATE (album)-[:TRACKLIST]->(song)"
    )

    chosen = Aligner(config, example).align(model).links
    key = example.read("MATCH (n:Song {title: 'Radioactive'}) RETURN n.uid AS uid")[0]["uid"]
    assert key in set(chosen["left"])


def test_a_link_carries_its_run_model_and_pair(example: Database, config: Config, model: Model) -> None:
    found = Aligner(config, example).align(model)
    row = example.read(
        "MATCH (l)-[s:SAME_AS]->(r) MATCH (run:AlignRun {id: s.run}) "
        "RETURN collect(DISTINCT s.model) AS models, collect(DISTINCT run.status) AS statuses, "
        "collect(run.created)[0] AS created, "
        "all(s IN collect(s) WHERE s.created_at IS NOT NULL AND 0 <= s.confidence <= 1) AS complete"
    )[0]
    assert row == {"models": [model.about.id], "statuses": ["done"], "created": len(found.links), "complete": True}
    assert written(example)["pair"].is_unique


def test_aligning_twice_changes_nothing(example: Database, config: Config, model: Model) -> None:
    Aligner(config, example).align(model)
    before = written(example)
    again = Aligner(config, example).align(model)

    assert again.changes == {"created": 0, "updated": 0, "retired": 0}
    pd.testing.assert_frame_equal(written(example), before)


def test_dry_run_says_what_it_would_write_and_writes_nothing(example: Database, config: Config, model: Model) -> None:
    found = Aligner(config, example).align(model, dry_run=True)

    assert found.run is None
    assert found.changes["created"] == len(found.links) > 300
    assert written(example).empty
    assert not example.read("MATCH (n:AlignRun) RETURN n")


def test_a_precision_can_be_asked_for(run: Run, example: Database, model_folder: Path) -> None:
    """More precision, fewer links, and what validation expects and can promise is said, to people and machines."""
    common = ("--config", EXAMPLE / "align.toml", "--model", model_folder)
    strict, lax = (
        document(run("align", "--precision", asked, "--dry-run", "--json", *common)) for asked in ("0.95", "0.5")
    )
    assert not example.read("MATCH (n:AlignRun) RETURN n")
    assert strict["target"]["precision"] == 0.95
    assert strict["target"]["types"].keys() == {"film", "artist", "song", "album"}
    assert 0 < strict["links"] < lax["links"]
    for kind, point in strict["target"]["types"].items():
        assert point["threshold"] >= lax["target"]["types"][kind]["threshold"]
        assert point["precision"] is None or point["precision"] >= 0.95
    assert any(point["missing"] for point in strict["target"]["types"].values())

    figures = document(run("evaluate", "--gold", EXAMPLE / "gold.csv", "--precision", "0.95", "--json", *common))
    assert figures["target"] == strict["target"]
    assert figures["precision"] > 0.9
    assert "are expected at threshold" in run("align", "--precision", "0.95", *common).stdout
    assert example.read("MATCH (n:AlignRun) RETURN n.precision AS asked") == [{"asked": 0.95}]
    run("align", "--precision", "1", "--dry-run", *common, code=2)


def test_a_precision_warns_where_labels_are_few_and_gives_way_to_a_threshold(
    example: Database, config: Config, model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    types = tuple(kind.model_copy(update={"threshold": 0.25}) for kind in config.types)
    fixed = config.model_copy(update={"types": types})
    given = Aligner(fixed, example).align(model, dry_run=True)
    caplog.clear()
    asked = Aligner(fixed, example).align(model, dry_run=True, precision=0.99)

    pd.testing.assert_frame_equal(asked.links, given.links)
    assert asked.target is not None
    assert {point.threshold for point in asked.target.points.values()} == {0.25}
    assert "too few" in caplog.text or "of the configuration gives" in caplog.text


def test_links_do_not_depend_on_batches_threads_or_loading_order(
    example: Database, config: Config, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = Aligner(config, example).align(model, dry_run=True).links
    monkeypatch.setattr(score, "SCORED_AT_ONCE", 37)
    monkeypatch.setattr(score, "ENCODED_AT_ONCE", 101)
    monkeypatch.setattr(sampling, "EXPANDED_AT_ONCE", 13)
    monkeypatch.setattr(entities, "READ_AT_ONCE", 17)
    monkeypatch.setattr(entities, "LISTED_AT_ONCE", 50)
    example.write("MATCH (n) DETACH DELETE n")
    for graph in reversed(read_folder(EXAMPLE, "Catalogue", "Wiki")):
        turned = {label: nodes[::-1] for label, nodes in graph.nodes.items()}
        write_graph(example, type(graph)(**{**vars(graph), "nodes": turned}))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        chosen = Aligner(config, example).align(model, dry_run=True).links
    finally:
        torch.set_num_threads(threads)

    pd.testing.assert_frame_equal(chosen, expected)


def test_long_values_are_cut_as_if_they_had_come_whole(database: Database) -> None:
    """The server cuts them before they travel, and counts a character outside the first plane twice."""
    names = ["𝒜" * 3_000, "a" + "𝒜" * 3_000, "b" * 1_000_000, "short"]
    database.write(
        "UNWIND range(0, size($names) - 1) AS i "
        "CREATE (:L:T0 {uid: i, name: $names[i]}), (:R:T0 {uid: i, title: [$names[i], 'c']})",
        names=names,
    )
    found = entities.pull(database, mapping(types=1))
    assert found.names[:4].tolist() == [name[:LONGEST] for name in names]
    assert found.names[4:].tolist() == [f"{name} | c"[:LONGEST] for name in names]


def test_verdicts_outrank_the_machine(example: Database, config: Config, model: Model) -> None:
    chosen = Aligner(config, example).align(model).links
    confirmed, rejected = chosen.iloc[0], chosen.iloc[1]
    wrong = chosen[chosen["type"] == confirmed["type"]].iloc[5]["right"]
    example.write("MATCH (:Catalogue {uid: $left})-[s:SAME_AS]->() DELETE s", left=confirmed["left"])
    verdicts.judge(example, config, "confirm", [{"left": confirmed["left"], "right": wrong}])
    verdicts.judge(example, config, "reject", [{"left": rejected["left"], "right": rejected["right"]}])

    Aligner(config, example).align(model)
    now = written(example)
    assert now[now["left"] == confirmed["left"]][["right", "status"]].to_numpy().tolist() == [[wrong, "confirmed"]]
    assert rejected["right"] not in set(now[now["left"] == rejected["left"]]["right"])
    assert now[now["right"] == wrong]["left"].tolist() == [confirmed["left"]]


def test_what_was_passed_over_is_not_counted(example: Database, config: Config, model: Model) -> None:
    """A person outranks the machine under an old name too: such a pair is chosen in every run, and never written."""
    types = tuple(kind.model_copy(update={"cardinality": "many"}) for kind in config.types)
    aligner = Aligner(config.model_copy(update={"types": types}), example)
    pair = aligner.align(model).links.query("type == 'film'").nlargest(1, "score").iloc[0]  # its name is enough
    verdicts.judge(example, config, "confirm", [{"left": pair["left"], "right": pair["right"]}])
    example.write(
        "MATCH (n:Catalogue {uid: $uid}) WITH n, properties(n) AS own SET n.uid = 'renamed' "
        "WITH own CREATE (again:Catalogue:Film) SET again = own",
        uid=pair["left"],
    )
    aligner.align(model)
    again = aligner.align(model)
    assert pair["right"] in set(again.links[again.links["left"] == pair["left"]]["right"])
    assert again.changes == {"created": 0, "updated": 0, "retired": 0}


def test_the_users_graph_and_own_same_as_are_left_alone(example: Database, config: Config, model: Model) -> None:
    example.write("MATCH (l:Film), (r:Movie) WITH l, r LIMIT 3 CREATE (l)-[:SAME_AS {mine: true}]->(r)")
    dump = (
        "MATCH (n) WHERE none(label IN labels(n) WHERE label STARTS WITH 'Align') "
        "OPTIONAL MATCH (n)-[r]->(m) WHERE r.pair IS NULL "
        "RETURN n.uid AS uid, labels(n) AS labels, properties(n) AS values, type(r) AS type, properties(r) AS more, "
        "m.uid AS to "
        "ORDER BY uid, type, to"
    )
    before = example.read(dump)
    Aligner(config, example).align(model)

    assert example.read(dump) == before


def test_a_link_without_evidence_is_retired(example: Database, config: Config, model: Model) -> None:
    found = Aligner(config, example).align(model)
    gone = found.links.iloc[0]["left"]
    example.write("MATCH (n:Catalogue {uid: $uid})-[r]-() WHERE type(r) <> 'SAME_AS' DELETE r", uid=gone)
    example.write("MATCH (n:Catalogue {uid: $uid}) SET n.title = 'qzx', n.name = 'qzx', n.year = null", uid=gone)

    again = Aligner(config, example).align(model)
    assert again.changes["retired"] >= 1
    assert gone not in set(written(example)["left"])


def test_hostile_values_are_read_and_change_nobody_else(example: Database, config: Config, model: Model) -> None:
    hostile = [
        "'; MATCH (n) DETACH DELETE n //", "`\"<script>alert(1)</script>", "x" * 1_000_000, float("nan"), float("inf"),
        ["a", "b"], [], True, "\u202e\u0000\ud7ff", 10**18,
    ]  # fmt: skip
    expected = Aligner(config, example).align(model, dry_run=True).links
    example.write(
        "UNWIND range(0, size($values) - 1) AS i "
        "CREATE (:Catalogue:Film {uid: 'hostile ' + i, title: $values[i], year: $values[i]})",
        values=hostile,
    )
    example.write(
        "CREATE (:Catalogue:Film {uid: 'date', title: date(), year: duration('P1Y')}), "
        "(:Catalogue:Film {uid: 'point', title: point({x: 1, y: 2}), year: datetime()}), "
        "(:Catalogue:Film {uid: 'nothing at all'}), (:Wiki:Movie {uid: 'nothing either'})"
    )

    chosen = Aligner(config, example).align(model, dry_run=True).links
    added = ~chosen["left"].isin(expected["left"])
    assert np.isfinite(chosen["confidence"]).all()
    assert set(chosen[~added]["left"]) == set(expected["left"])
    assert added.sum() == 0


def test_training_needs_labels_that_fit(example: Database, config: Config, tmp_path: Path) -> None:
    aligner = Aligner(config, example)
    gold = read_table(EXAMPLE / "gold.csv")
    for labels, said in (
        (gold[["left"]], "lack the column right"),
        (gold.head(0), "No labelled pair"),
        (gold.assign(left="nobody"), "No labelled pair"),
        (gold.assign(split="holdout"), "'holdout'"),
        (gold.assign(label="perhaps"), "'perhaps'"),
        (gold.assign(split="test"), "no true pair in the split 'train'"),
        (gold.assign(label="0"), "no true pair"),
    ):
        with pytest.raises(DataError, match=said):
            aligner.train(labels, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_without_labels_a_model_teaches_itself(run: Run, example: Database, tmp_path: Path) -> None:
    settings = ("--config", EXAMPLE / "align.toml", "--model", tmp_path / "model", "--json")
    assert "digest" in document(run("train", *settings))["labels"]
    figures = document(run("evaluate", "--gold", EXAMPLE / "gold.csv", "--split", "all", *settings))
    assert figures["f1"] > 0.85
    assert figures["precision"] > 0.85


def test_without_labels_it_takes_names_that_one_entity_bears(run: Run, database: Database, tmp_path: Path) -> None:
    for kind, other in (("Film", "Movie"), ("Artist", "Agent"), ("Song", "Track"), ("Album", "Record")):
        database.write(
            f"UNWIND range(1, 3) AS i CREATE (:Catalogue:{kind} {{uid: '{kind}' + i, title: 'a' + i}}), "
            f"(:Wiki:{other} {{uid: '{other}' + i, name: 'a' + i}})"
        )
    result = run("train", "--config", EXAMPLE / "align.toml", "--model", tmp_path / "model", code=1)
    assert "it takes 20. Give labels (--labels FILE)" in result.stderr
    assert not (tmp_path / "model").exists()


def test_a_model_of_another_mapping_is_refused(example: Database, config: Config, model: Model) -> None:
    other = config.model_copy(update={"relations": config.relations[:-1]})
    with pytest.raises(ModelError, match="other relations"):
        Aligner(other, example).align(model)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("MATCH (n) DETACH DELETE n", "No left node has the labels Catalogue and Film"),
        ("MATCH (n:Movie) DETACH DELETE n", "No right node has the labels Wiki and Movie"),
        ("MATCH (n:Film) REMOVE n.uid", "has the key property 'uid'"),
        ("MATCH (n:Film) WITH n LIMIT 2 SET n.uid = 'twice'", "'twice' is on several left nodes"),
        ("MATCH (n:Film) WITH n LIMIT 1 SET n.uid = 1.5", "must be text or a whole number"),
    ],
)
def test_a_graph_that_cannot_be_aligned_says_why(
    run: Run, example: Database, model_folder: Path, statement: str, said: str
) -> None:
    for constraint in example.read("SHOW CONSTRAINTS YIELD name"):
        example.write(f"DROP CONSTRAINT `{constraint['name']}`")
    example.write(statement)
    result = run("align", "--config", EXAMPLE / "align.toml", "--model", model_folder, code=1)

    assert said in result.stderr
    assert written(example).empty


def test_entities_that_share_nothing_have_no_candidates(database: Database, config: Config, model: Model) -> None:
    database.write("MATCH (n) DETACH DELETE n")
    for kind, other in (("Film", "Movie"), ("Artist", "Agent"), ("Song", "Track"), ("Album", "Record")):
        database.write(
            f"CREATE (:Catalogue:{kind} {{uid: '{kind}', title: 'aaa'}}), "
            f"(:Wiki:{other} {{uid: '{other}', name: 'zzz'}})"
        )
    with pytest.raises(DataError, match="nothing to compare"):
        Aligner(config, database).align(model)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("NEO4J_PASSWORD", "wrong", "refuses the user name or password"),
        ("NEO4J_URI", "bolt://127.0.0.1:9", "Cannot reach bolt://127.0.0.1:9"),
        ("NEO4J_URI", "ftp://127.0.0.1", "Check NEO4J_URI"),
        ("NEO4J_DATABASE", "nowhere", "NEO4J_DATABASE"),
    ],
)
def test_a_database_that_cannot_be_opened(
    run: Run, monkeypatch: pytest.MonkeyPatch, model_folder: Path, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    result = run("align", "--config", EXAMPLE / "align.toml", "--model", model_folder, code=1)

    assert said in result.stderr
    assert "Traceback" not in result.output


def test_files_that_are_missing_or_broken(run: Run, tmp_path: Path, model_folder: Path) -> None:
    assert "Run `neo4j-align init`" in run("align", "--model", model_folder, code=1).stderr
    broken = tmp_path / "broken.toml"
    broken.write_text("[left]\nlabel = 1\n")
    assert "left" in run("align", "--config", broken, "--model", model_folder, code=1).stderr
    assert "holds no complete model" in run("align", "--config", EXAMPLE / "align.toml", code=1).stderr
    run("evaluate", "--gold", tmp_path / "none.csv", code=2)


def test_demo_prints_links_figures_and_queries(run: Run) -> None:
    shown = document(run("demo", "--json"))

    cases = {case["left"]: case["linked"] for case in shown["hard_cases"]}
    assert cases == {"Aditya Raj": True, "Radioactive": False}
    assert "performed by: Kendrick Lamar (-" in shown["hard_cases"][1]["explanation"]["reason"]
    assert shown["held_out"]["f1"] > 0.9
    assert len(shown["queries"]) >= 3
    assert all(query["rows"] for query in shown["queries"])
    told = run("demo").stdout
    assert "Queries to paste" in told
    assert "What speaks against it most: " in told


def test_python_gives_the_same_as_the_command_line(
    run: Run, example: Database, config: Config, model_folder: Path
) -> None:
    chosen = Aligner(config, example).align(load(model_folder), dry_run=True).links
    said = document(run("align", "--dry-run", "--json", "--config", EXAMPLE / "align.toml", "--model", model_folder))
    assert said["links"] == len(chosen)


def test_a_link_follows_the_key_and_not_the_node(example: Database, config: Config, model: Model) -> None:
    before = Aligner(config, example).align(model).links
    renamed, right = before.iloc[0]["left"], before.iloc[0]["right"]
    example.write("MATCH (n:Catalogue {uid: $uid}) SET n.uid = 'renamed'", uid=renamed)

    Aligner(config, example).align(model)
    now = written(example)
    assert renamed not in set(now["left"])
    assert now[now["right"] == right]["left"].tolist() == ["renamed"]
    assert now["pair"].tolist() == [links.pair_name(config, row.left, row.right) for row in now.itertuples()]


def test_sides_by_property_and_whole_numbers_as_keys(example: Database, config: Config, tmp_path: Path) -> None:
    """The same graphs, told apart by a property of nodes without a common label."""
    gold = read_table(EXAMPLE / "gold.csv")
    rows = example.read("MATCH (n:Catalogue|Wiki) RETURN n.uid AS uid ORDER BY n.uid")
    numbers = {row["uid"]: at for at, row in enumerate(rows)}
    example.write(
        "UNWIND $rows AS row MATCH (n:Catalogue|Wiki {uid: row[0]}) "
        "SET n.source = CASE WHEN n:Catalogue THEN 'one' ELSE 'other' END, n.id = row[1] REMOVE n:Catalogue:Wiki",
        rows=[[uid, number] for uid, number in numbers.items()],
    )
    document = config.model_dump(mode="json")
    for side, value in (("left", "one"), ("right", "other")):
        document[side] = {"property": "source", "value": value, "key": "id"}
    aligner = Aligner(parse_config(document), example)
    table = gold.assign(left=gold["left"].map(numbers), right=gold["right"].map(numbers))

    trained = aligner.train(table, tmp_path / "model")
    found = aligner.align(trained)
    assert aligner.align(trained).changes == {"created": 0, "updated": 0, "retired": 0}
    assert aligner.evaluate(trained, table)["f1"] > 0.9
    rows = example.read("MATCH (l)-[s:SAME_AS]->(r) RETURN DISTINCT l.source AS left, r.source AS right, count(*) AS n")
    assert rows == [{"left": "one", "right": "other", "n": len(found.links)}]


def test_labels_without_splits_are_judged_on_what_training_held_out(
    example: Database, config: Config, tmp_path: Path
) -> None:
    aligner = Aligner(config, example)
    gold = read_table(EXAMPLE / "gold.csv")[["left", "right"]]
    trained = aligner.train(gold, tmp_path / "model")

    held_out = aligner.evaluate(trained, gold)
    assert held_out["split"] == "test"
    assert 0 < held_out["gold"] < len(gold) / 3
    assert aligner.evaluate(trained, gold.iloc[:-1])["split"] == "all"
    assert aligner.evaluate(trained, gold, None)["split"] == "all"


def pairs_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{"left": left, "right": right} for left, right in zip(table["left"], table["right"], strict=True)]


def test_verdicts_are_evidence_for_neighbours(example: Database, config: Config, model: Model) -> None:
    """With all artists rejected, films stand without the anchors that their artists were, and score lower."""
    before = Aligner(config, example).score(model).set_index(["left", "right"])
    artists = before[before["linked"] & (before["type"] == "artist")].reset_index()
    verdicts.judge(example, config, "reject", pairs_of(artists))
    after = Aligner(config, example).score(model).set_index(["left", "right"])

    films = before.loc[before["linked"] & (before["type"] == "film"), "score"]
    assert (after["score"].reindex(films.index) - films).mean() < 0
    assert not after["linked"].reindex(artists.set_index(["left", "right"]).index, fill_value=False).any()


def test_training_is_told_the_verdicts(
    example: Database, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Verdicts] = []

    def learn(self: Looks, graph: Graph, table: pd.DataFrame | None, decided: Verdicts) -> None:
        told.append(decided)
        raise DataError("told")

    monkeypatch.setattr(Looks, "learn", learn)
    gold = read_table(EXAMPLE / "gold.csv")
    verdicts.judge(example, config, "confirm", pairs_of(gold.head(3)))
    verdicts.judge(example, config, "reject", pairs_of(gold.iloc[3:5]))
    with pytest.raises(DataError, match="told"):
        Aligner(config, example).train(None, tmp_path)
    assert (len(told[0].confirmed), len(told[0].rejected)) == (3, 2)
