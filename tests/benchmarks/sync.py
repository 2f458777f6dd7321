"""What a sync costs after changes, against an alignment of the whole graph, both as commands of their own.

`python -m tests.benchmarks.sync [SET] [--model FOLDER] [--json FILE]` loads a public data set (movies), trains, aligns,
gives every node a last-modified property, and after 0, 1, 10, 100 … changed entities (another name, a quarter also
a relationship less) times `sync`, with feed "property" and with feed "scan"; then `align --dry-run`, which must find
nothing left to write. With `made` as the set, a graph of `--nodes` nodes with hubs is made up, and the model comes from
a small one of the kind.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from neo4j_align.store.database import Database
from tests.benchmarks.common import SIDES, Workplace, empty_workplaces, table
from tests.benchmarks.speed import graphs

CHANGES = (0, 1, 10, 100, 1_000, 10_000)
SMALL_NODES = 20_000  # of the graph from which the model of a made one comes
FEEDS = {"property": '[sync]\nfeed = "property"\nproperty = "changed"\noverlap = 0\n', "scan": ""}
STAMP = """
MATCH (n:Left|Right) WHERE n.changed IS NULL WITH n LIMIT 50000
SET n.changed = $at - rand() * 1000000  // as of entities that changed one by one
RETURN count(*) AS done
"""
EDIT = """
UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id
SET n.changed = $at, n += CASE WHEN n.name IS NULL THEN {} ELSE {name: n.name + row.more} END
WITH n WHERE rand() < 0.25
MATCH (n)-[r]-(m) WHERE NOT type(r) IN ['SAME_AS', 'NOT_SAME_AS', 'IN_RUN']
WITH n, head(collect([r, m])) AS some
SET (some[1]).changed = $at
WITH some[0] AS r DELETE r
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", nargs="?", default="movies")
    parser.add_argument("--nodes", type=int, default=1_000_000, help="of the graph that is made")
    parser.add_argument("--model", type=Path, help="a model of this set and mapping, instead of training one")
    parser.add_argument("--feeds", nargs="+", default=list(FEEDS), choices=list(FEEDS))
    parser.add_argument("--changes", nargs="+", type=int, default=CHANGES)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with empty_workplaces() as make:
        place = make(given.set)
        if given.set == "made":
            prepare_made(place, given.nodes, given.model)
        else:
            place.prepare()
            learn(place, given.model)
        records = measure(place, given.feeds, given.changes)
    if given.json:
        given.json.write_text(json.dumps(records, indent=1), encoding="utf-8")
    print(report(records))


def prepare_made(place: Workplace, nodes: int, model: Path | None) -> None:
    """Train on a small graph, its pairs known, and load a large one; one person is in every tenth film."""
    with Database.open(place.connection) as database:
        graphs.load(database, _size(SMALL_NODES))
        place.run("init", *SIDES)
        pairs = [f"Left{kind}{i},Right{kind}{i}\n" for kind in ("Film", "Person") for i in range(SMALL_NODES // 4)]
        place.data = place.folder
        (place.folder / "gold.csv").write_text("left,right\n" + "".join(pairs), encoding="utf-8")
        learn(place, model)
        graphs.load(database, _size(nodes), seed=14)


def _size(nodes: int) -> graphs.Size:
    return graphs.Size(films=nodes // 4, people=nodes // 4, edges=nodes, hub=nodes // 40)


def learn(place: Workplace, model: Path | None) -> None:
    """Train a model, or take one that was trained before."""
    if model is None:
        place.run("train", "--labels", str(place.gold_path))
    else:
        shutil.copytree(model, place.folder / "models" / "align")


def measure(place: Workplace, feeds: Sequence[str], changes: Sequence[int]) -> list[dict[str, Any]]:
    """Change more and more entities, and time each way to bring the links up to date."""
    with Database.open(place.connection) as database:
        while database.write(STAMP, at=time.time())[0]["done"]:
            pass
        mapping = (place.folder / "align.toml").read_text(encoding="utf-8")
        records = []
        for feed in feeds:
            (place.folder / "align.toml").write_text(f"{mapping}\n{FEEDS[feed]}", encoding="utf-8")
            place.run("check", "--create-indexes")
            place.run("align")
            for count in changes:
                edit(database, count)
                found = place.run("sync")
                written = sum(found[what] for what in ("created", "updated", "retired"))
                records.append({"feed": feed, "changed": count, "seen": found["changed_entities"], "written": written})
                records[-1] |= {"seconds": place.seconds["sync"], "mib": place.peak_mib["sync"]}
                print(json.dumps(records[-1]), flush=True)
            whole = place.run("align", "--dry-run", name="whole")
            if any(whole[what] for what in ("created", "updated", "retired")):
                raise SystemExit(f"{feed}: after all syncs an alignment would write otherwise: {whole}")
            records.append({"feed": feed, "seconds": place.seconds["whole"], "mib": place.peak_mib["whole"]})
    return records


def edit(database: Database, count: int) -> None:
    """Change some entities, and stamp them and whoever lost a relationship."""
    rows = database.read("MATCH (n:Left|Right) RETURN elementId(n) AS id ORDER BY id")
    chosen = random.Random(count).sample([row["id"] for row in rows], count)
    more = [{"id": one, "more": f" {random.Random(one).choice('abcdefgh')}"} for one in chosen]
    for start in range(0, len(more), 1_000):
        database.write(EDIT, rows=more[start : start + 1_000], at=time.time())


def report(records: list[dict[str, Any]]) -> str:
    """Lay out what each way took; where nothing is said to have changed, it is the alignment of the whole."""
    whole = {row["feed"]: row["seconds"] for row in records if "changed" not in row}
    rows = [
        [
            row["feed"], *(f"{row[what]:,}" if what in row else "align" for what in ("changed", "seen", "written")),
            f"{row['seconds']:.1f}", f"{row['seconds'] / whole[row['feed']]:.1%}", f"{row['mib']:,}",
        ]
        for row in records
    ]  # fmt: skip
    return table(["feed", "entities changed", "seen", "links written", "s", "of the whole", "MiB"], rows)


if __name__ == "__main__":
    main()
