"""Explanations against a real Neo4j: what they claim is what happens, to people, to machines and to Cypher."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neo4j_align.config import Config, load_config
from neo4j_align.errors import DataError
from neo4j_align.explain import Explainer
from neo4j_align.explanation import Attribute, Evidence, Explanation
from neo4j_align.gnn.saved import Model, load
from neo4j_align.pipeline import Aligner
from neo4j_align.store import procedures, schema, verdicts
from neo4j_align.store.database import Database
from neo4j_align.store.loader import read_folder, write_graph
from neo4j_align.worker import Worker
from tests.integration.conftest import EXAMPLE, Run, document
from tests.integration.test_worker import submit

HUB = 30  # neighbours of an entity that nearly all share, as genres
PAIRS, AT_ONCE = 50, 10  # that lose an evidence; at once, since numbers are lent further than `apart` looks
COMMON = ("--config", EXAMPLE / "align.toml")


def keys(database: Database, left: str, right: str) -> tuple[str, str]:
    """Return the keys of the entities of these names."""
    text = "MATCH (n:{}) WHERE coalesce(n.title, n.name) = $name RETURN n.uid AS uid"
    one, other = (
        database.read(text.format(side), name=name)[0]["uid"] for side, name in (("Catalogue", left), ("Wiki", right))
    )
    return one, other


def take_away(database: Database, config: Config, found: Explanation, evidence: Evidence) -> None:
    """Take an evidence out of the graph itself: the properties of both entities, or the relationships to both."""
    kind = next(kind for kind in config.types if kind.name == found.type)
    for name, side, entity in (("left", config.left, found.left), ("right", config.right, found.right)):
        node = f"MATCH (n:{schema.quote(side.label or '')} {{{schema.quote(side.key)}: $key}})"
        if isinstance(evidence, Attribute):
            mapped = next(one for one in kind.attributes if one.name == evidence.name)
            if (property_name := getattr(mapped, name)) is not None:
                database.write(f"{node} REMOVE n.{schema.quote(property_name)}", key=entity.key)
        elif (neighbour := getattr(evidence, name)) is not None:
            text = f"{node}-[r]-(m:{schema.quote(side.label or '')} {{{schema.quote(side.key)}: $other}}) DELETE r"
            database.write(text, key=entity.key, other=neighbour.key)


def apart(explainer: Explainer, number: int) -> list[Explanation]:
    """Explain some pairs that share no neighbour but hubs, so that what is taken from one is not taken from another."""
    judged, (nodes, drawn) = explainer.judged, explainer.judged.scene.graph.seen
    likely = np.flatnonzero(judged.confidence > 0.2)
    used: set[int] = set()
    chosen: list[Explanation] = []
    for row in np.random.default_rng(13).permutation(likely).tolist():
        pair = [int(judged.pairs.left[row]), int(judged.pairs.right[row])]
        near = np.union1d(pair, drawn.neighbours[pair])
        seen = set(near[(near >= 0) & (drawn.degree[near] <= HUB)].tolist())
        if not seen & used and len(chosen) < number:
            used |= seen
            chosen.append(explainer.explain(*nodes.keys[pair]))
    return chosen


def fallen(explainer: Explainer, found: Explanation) -> float:
    """Return how much the score of a pair has fallen, NaN where it is no candidate any more."""
    judged = explainer.judged
    ends = judged.scene.graph.nodes.keys[judged.pairs.left], judged.scene.graph.nodes.keys[judged.pairs.right]
    row = np.flatnonzero((ends[0].astype(str) == found.left.key) & (ends[1].astype(str) == found.right.key))
    return found.score - float(judged.logits[row[0]]) if len(row) else np.nan


def deletion_test(database: Database, config: Config, model: Model, reload: Callable[[], object]) -> pd.DataFrame:
    """Take the strongest evidence, and a random one, of pairs all over a graph out of it, some at once; judge again.

    Returns:
        which (strongest or random), claimed and real fall of the score.
    """
    luck = np.random.default_rng(13)
    chosen = apart(Aligner(config, database).explainer(model), PAIRS)

    def strongest(evidence: Sequence[Evidence]) -> Evidence:
        return max(evidence, key=lambda one: one.contribution)

    def random(evidence: Sequence[Evidence]) -> Evidence:
        return evidence[int(luck.integers(len(evidence)))]

    rows = []
    for pick in (strongest, random):
        # What the first look took either for is not in the graph, to be taken out of it.
        picked = [(found, pick([one for one in found.evidence if one is not found.taken])) for found in chosen]
        for start in range(0, len(picked), AT_ONCE):
            part = picked[start : start + AT_ONCE]
            for found, evidence in part:
                take_away(database, config, found, evidence)
            after = Aligner(config, database).explainer(model)
            rows += [(pick.__name__, one.contribution, fallen(after, found)) for found, one in part]
            reload()
    return pd.DataFrame(rows, columns=["which", "claimed", "real"])


def require_faithful(table: pd.DataFrame) -> None:
    kept = table.dropna()
    strongest, random = (kept[kept["which"] == which] for which in ("strongest", "random"))
    # Of ranks: where what is taken away was an anchor's too, a fall twice as deep weighs no more than its place.
    correlation = kept["claimed"].corr(kept["real"], method="spearman")
    plain = kept["claimed"].corr(kept["real"])
    error = (kept["claimed"] - kept["real"]).abs().mean()
    exact = ((kept["claimed"] - kept["real"]).abs() < 0.01).sum()
    print(f"{len(kept)} of {len(table)} still candidates, {exact} of them within 0.01, mean error {error:.3f}")
    print(f"correlation of ranks {correlation:.3f}, plain {plain:.3f}")
    print(kept.groupby("which")[["claimed", "real"]].mean().round(3))  # for docs/explain.md, with pytest -s
    assert len(strongest) >= 24
    assert len(random) >= 24
    assert correlation > 0.9
    assert error < 0.15 * strongest["real"].mean()
    assert strongest["real"].mean() > 2 * random["real"].mean()


def test_taking_the_named_evidence_away_does_what_was_claimed(example: Database, config: Config, model: Model) -> None:
    def reload() -> None:
        for graph in read_folder(EXAMPLE, "Catalogue", "Wiki"):
            write_graph(example, graph)

    require_faithful(deletion_test(example, config, model, reload))


@pytest.mark.skipif("ALIGN_DATA" not in os.environ, reason="ALIGN_DATA does not name the folder of the public data")
def test_contributions_are_faithful_on_public_data(run: Run, database: Database) -> None:
    data = Path(os.environ["ALIGN_DATA"]) / "itunes-amazon"
    sides = ("--left-label", "Left", "--right-label", "Right")
    run("load", data, *sides)
    run("init", *sides)
    run("train", "--labels", data / "pairs.csv")

    table = deletion_test(
        database,
        load_config(Path("align.toml")),
        load(Path("models/align")),
        lambda: run("load", data, *sides),
    )
    require_faithful(table)


def test_every_candidate_is_explained_from_its_own_score(example: Database, config: Config, model: Model) -> None:
    explainer = Aligner(config, example).explainer(model)
    judged = explainer.judged
    keys, pairs = judged.scene.graph.nodes.keys, judged.pairs
    for row in np.random.default_rng(13).choice(len(pairs), 25, replace=False).tolist():
        found = explainer.explain(keys[pairs.left[row]], keys[pairs.right[row]])
        assert found.score == pytest.approx(judged.logits[row], abs=1e-5)
        assert found.confidence == pytest.approx(judged.confidence[row], abs=1e-5)
        assert found.path.comparison + found.path.network == pytest.approx(found.score)
        assert found.linked == bool(explainer.found.linked[row])


def test_the_remix_is_turned_down_because_of_its_performer(example: Database, config: Config, model: Model) -> None:
    found = Aligner(config, example).explain(model, *keys(example, "Radioactive", "Radioactive"))
    against = [row["what"] for row in found.document()["against"]]

    assert (found.status, found.linked) == ("below threshold", False)
    assert any("Kendrick Lamar" in what for what in against[:3])
    assert "Kendrick Lamar" in found.reason
    performers = [one for one in found.neighbours if "performed by" in one.relations]
    assert [(str(one.left), str(one.right)) for one in performers if one.contribution > 0] == [("Imagine Dragons",) * 2]


def test_the_weakest_link_hangs_on_an_evidence(example: Database, config: Config, model: Model) -> None:
    aligner = Aligner(config, example)
    weakest = aligner.align(model, dry_run=True).links.nsmallest(1, "confidence").iloc[0]
    found = aligner.explain(model, weakest["left"], weakest["right"])
    strongest = max(found.evidence, key=lambda one: one.contribution)

    assert found.linked
    assert found.counterfactual is not None
    assert (found.counterfactual.linked, found.counterfactual.what) == (False, strongest.what)


def test_a_link_is_explained_on_the_command_line(run: Run, example: Database, model_folder: Path) -> None:
    ends = keys(example, "Aditya Raj", "Aditya Raj Kapoor")
    arguments = ("explain", *ends, *COMMON, "--model", model_folder)
    shown = run(*arguments).stdout
    found = document(run(*arguments, "--json", "--html", "why.html"))

    assert found["status"] == "linked"
    assert found["confidence"] > 0.9
    assert {row["name"] for row in found["attributes"]} == {"name"}
    assert "Isi Life Mein" in shown
    assert "contribution" in shown
    page = Path("why.html").read_text(encoding="utf-8")
    assert "Isi Life Mein" in page
    assert "http" not in page.replace("http-equiv", "")
    assert run(*arguments, "--quiet").stdout == ""
    assert "Give another file" in run(*arguments, "--html", "no/such/folder.html", code=1).stderr


def test_what_cannot_be_explained_says_why(run: Run, example: Database, model_folder: Path) -> None:
    left, right = keys(example, "Aditya Raj", "Aditya Raj Kapoor")
    song = keys(example, "Radioactive", "Radioactive")[1]

    def said(*ends: str) -> str:
        return run("explain", *ends, *COMMON, "--model", model_folder, code=1).stderr

    assert "No left entity of a mapped type has the key nobody" in said("nobody", right)
    assert "give LEFT first" in said(right, left)
    assert "give LEFT first" in said(left, left)
    assert "type artist" in said(left, song)


def test_verdicts_matching_and_blocking_are_named(example: Database, config: Config, model: Model) -> None:
    aligner = Aligner(config, example)
    left, right = keys(example, "Aditya Raj", "Aditya Raj Kapoor")
    explainer = aligner.explainer(model)
    judged, nodes = explainer.judged, explainer.judged.scene.graph.nodes
    of_mine = judged.pairs.right[nodes.keys[judged.pairs.left] == left]
    artists = nodes.keys[nodes.of(1, config.type_names.index("artist"))]
    stranger = next(key for key in artists if key not in set(nodes.keys[of_mine]))
    far = explainer.explain(left, stranger)
    assert (far.status, far.linked, far.counterfactual) == ("not a candidate", False, None)

    verdicts.judge(example, config, "confirm", [{"left": left, "right": stranger}])
    assert aligner.explain(model, left, stranger).status == "confirmed"
    taken = aligner.explain(model, left, right)
    assert taken.status in ("taken", "not a candidate", "below threshold")
    verdicts.withdraw(example, config, [{"left": left, "right": stranger}])
    verdicts.judge(example, config, "reject", [{"left": left, "right": right}])
    rejected = aligner.explain(model, left, right)
    assert (rejected.status, rejected.linked) == ("rejected", False)
    assert "A person rejected it" in rejected.reason


def test_cypher_reads_what_a_worker_explained(
    example: Database, config: Config, model_folder: Path, model: Model
) -> None:
    left, right = keys(example, "Radioactive", "Radioactive")
    submit(example, "explain", config, left=left, right=right)
    wrong = submit(example, "explain", config, left=left, right="nobody")
    Worker(config, example, model_folder).run(once=True)

    rows = procedures.call(example, config, "explain", left=left, right=right)
    found = Aligner(config, example).explain(model, left, right)
    assert (rows[0]["evidence"], rows[0]["contribution"], rows[0]["confidence"]) == (
        "verdict", found.score, found.confidence,
    )  # fmt: skip
    assert [(row["what"], row["contribution"]) for row in rows[1:]] == [
        (one.what, one.contribution) for one in found.evidence
    ]
    assert any(row["left_value"] is None for row in rows)
    assert "nobody" in procedures.call(example, config, "job", id=wrong)[0]["error"]
    text = example.read("MATCH (j:AlignJob {kind: 'explain', status: 'done'}) RETURN j.result AS result")[0]["result"]
    assert json.loads(text)["explanation"] == json.loads(json.dumps(found.document()))


def test_hostile_values_are_shown_as_text(run: Run, example: Database, model_folder: Path) -> None:
    left, right = keys(example, "Radioactive", "Radioactive")
    hostile = "<script>alert(1)</script>[red]bold[/red]\x1b[31m\u202e" + "x" * 100_000
    example.write("MATCH (n {uid: $uid}) SET n.title = $value", uid=left, value=hostile)
    result = run("explain", left, right, *COMMON, "--model", model_folder, "--html", "why.html")

    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert "[red]bold[/red]" in result.stdout.replace("\n", "")
    assert len(result.stdout) < 20_000
    page = Path("why.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert len(page) < 50_000


def test_a_key_that_is_nowhere_is_no_key_of_python_either(example: Database, config: Config, model: Model) -> None:
    with pytest.raises(DataError, match="has the key 7"):
        Aligner(config, example).explain(model, 7, 8)
