"""Quality, time and memory on the public data sets, through the product: load, init, train, align, evaluate.

    ALIGN_DATA=/path/to/data python -m tests.benchmarks.quality movies screen --json figures.json

Every set goes into an emptied embedded server of the benchmark's own; nothing is tuned per set. Prints tables in
Markdown: mean and standard deviation over the seeds, on the test split, beside what others reach and the goals.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neo4j_align.records import LEFT, RIGHT, Pairs
from neo4j_align.resolve import labels
from neo4j_align.store import entities
from neo4j_align.store.database import Database
from tests.benchmarks.common import (
    BIG,
    SETS,
    Workplace,
    parser,
    remember,
    remembered,
    replace_between,
    seeds,
    spread,
    table,
    workplaces,
)
from tests.benchmarks.goals import ECE, GOALS, WITHIN, Goal

STEPS = ("load", "init", "check", "train", "align", "evaluate")
MEASURES = (
    "precision", "recall", "f1", "prauc", "hits_at_1", "hits_at_10", "pair_completeness",
    "ece", "ece_links", "ece_chance",
)  # fmt: skip
VARIANTS = {
    "supervised": SETS,
    "no labels": ("movies", "screen", "dblp-acm"),
    "no people label": ("screen",),
}
LINKS = "MATCH (l:Left)-[s:SAME_AS]->(r:Right) WHERE s.pair IS NOT NULL RETURN l.uid AS left, r.uid AS right"


def main() -> None:
    """Run the sets that were asked for and print their figures."""
    takes = parser(__doc__, SETS, "quality")
    takes.add_argument("--seeds", type=int, default=5, help="runs of each small set; default 5")
    takes.add_argument("--big-seeds", type=int, default=1, help="runs of each big set; default 1")
    takes.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=VARIANTS, help="default all")
    arguments = takes.parse_args()
    records = remembered(arguments.json)
    if not arguments.show:
        with workplaces(arguments.sets) as places:
            for place in places:
                count = arguments.big_seeds if place.data.name in BIG else arguments.seeds
                for record in _runs(place, arguments.variants, count):
                    remember(arguments.json, records, record)
                    print(f"{record['data']}, {record['variant']}, seed {record['seed']}: done", flush=True)
    text = report(records)
    print(text)
    if arguments.docs:
        replace_between(arguments.docs, "quality", text)


def _runs(place: Workplace, variants: list[str], count: int) -> Iterator[dict[str, Any]]:
    for variant in variants:
        if place.data.name in VARIANTS[variant]:
            for seed in seeds(count):
                yield _run(place, variant, seed)


def _run(place: Workplace, variant: str, seed: int) -> dict[str, Any]:
    place.seed(seed)
    gold = str(place.gold_path)
    place.run("train", *_labels(place, variant))
    place.run("align", "--profile")
    judged = {variant: place.run("evaluate", "--gold", gold)["types"]}
    if variant == "supervised":
        judged |= _judged_otherwise(place, gold, seed)
    return {
        "data": place.data.name,
        "variant": variant,
        "seed": seed,
        "seconds": {step: place.seconds[step] for step in STEPS},
        "peak_mib": {step: place.peak_mib[step] for step in STEPS},
        "output": {step: place.output[step] for step in STEPS},
        "judged": judged,
    }


def _labels(place: Workplace, variant: str) -> list[str]:
    """Return the arguments that give `train` its labels."""
    if variant == "no labels":
        return []
    if variant == "supervised":
        return ["--labels", str(place.gold_path)]
    gold = place.gold
    path = place.folder / "no-people.csv"
    # Those of the test split go too: they would say that people are a type that labels cover.
    gold[gold["type"] != "person"].to_csv(path, index=False)
    return ["--labels", str(path)]


def _judged_otherwise(place: Workplace, gold: str, seed: int) -> dict[str, Any]:
    """Judge the same model and links in other ways; by the name of the way, then by type."""
    aimed = place.run("evaluate", "--gold", gold, "--precision", "0.95", name="precision 0.95")
    promised = aimed["target"]["types"]
    judged = {
        "precision 0.95": {kind: {**figures, "target": promised.get(kind)} for kind, figures in aimed["types"].items()}
    }
    if place.data.name.startswith("itunes"):
        path = place.folder / "without-repeats.csv"
        without_repeats(place.data, place.gold).to_csv(path, index=False)
        judged["without repeats"] = place.run("evaluate", "--gold", str(path), name="without repeats")["types"]
    if place.data.name == "movies":
        judged |= {name: {"film": figures} for name, figures in by_title(place, seed).items()}
    return judged


def without_repeats(data: Path, gold: pd.DataFrame) -> pd.DataFrame:
    """Leave out the test pairs whose two records stand word for word as a pair in train or valid."""
    texts = pd.Series("", index=gold.index)
    for side in ("left", "right"):
        texts += gold[side].map(_records(data, side)) + "\n"
    test = gold["split"] == "test"
    return gold[~(test & texts.isin(texts[~test]))]


def _records(data: Path, side: str) -> dict[str, str]:
    """Return each node's attributes and the names of its neighbours as one text."""
    with (data / f"{side}.nodes.jsonl").open(encoding="utf-8") as lines:
        nodes = {row.pop("uid"): row for row in map(json.loads, lines)}
    edges = pd.read_csv(data / f"{side}.edges.csv", dtype=str, keep_default_na=False)
    around: dict[str, list[str]] = {uid: [] for uid in nodes}
    for source, relation, target in edges.itertuples(index=False):
        around[source].append(f"{relation} {nodes[target].get('name')}")
    return {uid: json.dumps([row, sorted(around[uid])], sort_keys=True) for uid, row in nodes.items()}


def by_title(place: Workplace, seed: int) -> dict[str, dict[str, float]]:
    """Judge the links that `align` wrote, of films with and of films without a title, as `evaluate` does."""
    config = place.config
    with Database.open(place.connection) as database:
        nodes = entities.pull(database, config)
        links = pd.DataFrame(database.read(LINKS), columns=["left", "right"])
    left, right = (
        nodes.index(side).reindex(links[name]).to_numpy(np.int32) for side, name in ((LEFT, "left"), (RIGHT, "right"))
    )
    known = labels.read(place.gold, nodes, config.type_names, seed)
    nothing = np.zeros((len(left), 0), np.float32)
    same, split = labels.judge(known, nodes, Pairs(left, right, nothing), seed, complete=True)
    with (place.data / "left.nodes.jsonl").open(encoding="utf-8") as lines:
        titled = {row["uid"] for row in map(json.loads, lines) if row.get("title")}
    has_title = np.isin(nodes.keys.astype(str), list(titled))
    tested = np.unique(known.links[known.split[known.same] == "test"], axis=0)[:, 0]
    return {
        name: _figures(same[(split == "test") & mine[left]], int(mine[tested].sum()))
        for name, mine in (("with a title", has_title), ("without a title", ~has_title))
    }


def _figures(same: np.ndarray[Any, Any], gold: int) -> dict[str, float]:
    true, links = int((same == 1).sum()), int((same >= 0).sum())
    return {
        "links": links,
        "gold": gold,
        "precision": true / max(links, 1),
        "recall": true / max(gold, 1),
        "f1": 2 * true / max(links + gold, 1),
    }


def report(records: list[dict[str, Any]]) -> str:
    """Return all tables in Markdown."""
    rows = [
        {"data": record["data"], "variant": variant, "type": kind, **figures}
        for record in records
        for variant, types in record["judged"].items()
        for kind, figures in types.items()
    ]
    figures = pd.DataFrame(rows, columns=["data", "variant", "type", "target", *MEASURES])
    parts = {
        "Goals": _goals(figures),
        "All measures": _measures(figures),
        "Precision 0.95": _promises(figures),
        "Time and memory": _costs(records),
    }
    return "\n".join(f"### {title}\n\n{text}" for title, text in parts.items())


def _of(figures: pd.DataFrame, goal: Goal, variant: str | None = None) -> pd.Series[Any]:
    mine = (figures["data"] == goal.data) & (figures["type"] == goal.kind)
    return figures.loc[mine & (figures["variant"] == (variant or goal.variant)), goal.measure].dropna()


def _goals(figures: pd.DataFrame) -> str:
    """Lay out the goals of the sets that were measured, those for the calibration of each type behind them."""
    rows = []
    for goal in (*GOALS, *ECE):
        aim = goal.aim
        if goal.data not in set(figures["data"]):
            continue
        if goal.variant == "no labels" and aim is None:
            supervised = 100 * _of(figures, goal, "supervised")
            aim = None if supervised.empty else round(float(supervised.mean()) - WITHIN, 1)
        reached = spread(_of(figures, goal).tolist(), scale=100)
        wanted = "–" if aim is None else f"{'≤ ' if goal.at_most else ''}{aim:.1f}"
        rows.append([f"`{goal.data}`", goal.kind, goal.variant, _title(goal.measure), goal.peers, wanted, reached])
    return table(["data", "type", "variant", "measure", "others", "goal", "reached"], rows)


def _measures(figures: pd.DataFrame) -> str:
    rows = []
    for (data, variant, kind), group in figures.groupby(["data", "variant", "type"], sort=False):
        cells = [spread(group[measure].dropna().tolist(), scale=100) for measure in MEASURES]
        rows.append([f"`{data}`", str(variant), str(kind), str(len(group)), *cells])
    return table(["data", "variant", "type", "runs", *map(_title, MEASURES)], rows)


def _promises(figures: pd.DataFrame) -> str:
    """Lay out what validation expected of the links at precision 0.95, and what test shows."""
    rows = []
    aimed = figures[figures["variant"] == "precision 0.95"]
    for (data, kind), group in aimed.groupby(["data", "type"], sort=False):
        targets = [target for target in group["target"] if isinstance(target, dict)]
        expected = [
            spread([t[name] for t in targets if t[name] is not None], scale=100)
            for name in ("precision", "recall", "at_least")
        ]
        promised = f"{sum(bool(target['promised']) for target in targets)} of {len(group)}"
        test = [spread(group[name].dropna().tolist(), scale=100) for name in ("precision", "recall")]
        rows.append([f"`{data}`", str(kind), *expected, promised, *test])
    header = ["data", "type", "expected precision", "expected recall", "at least", "promised", "precision", "recall"]
    return table(header, rows)


def _costs(records: list[dict[str, Any]]) -> str:
    """Lay out seconds of each command, and the memory of the largest process; the mean over the seeds."""
    rows = []
    for data, variant in dict.fromkeys((record["data"], record["variant"]) for record in records):
        mine = [record for record in records if (record["data"], record["variant"]) == (data, variant)]
        steps = [f"{np.mean([record['seconds'][step] for record in mine]):.1f}" for step in STEPS]
        whole = f"{np.mean([sum(record['seconds'].values()) for record in mine]):,.0f}"
        peak = f"{max(max(record['peak_mib'].values()) for record in mine):,}"
        rows.append([f"`{data}`", variant, *steps, whole, peak])
    return table(["data", "variant", *STEPS, "all, s", "peak memory, MiB"], rows)


def _title(measure: str) -> str:
    return {"f1": "F1", "prauc": "PRAUC", "ece": "ECE"}.get(
        measure, measure.replace("hits_at_", "hits@").replace("_", " ").replace("ece", "ECE")
    )


if __name__ == "__main__":
    main()
