"""What a sync costs after changes, against an alignment of the whole graph, both as commands of their own.

`python -m tests.benchmarks.sync [SET] [--model FOLDER] [--json FILE]` loads a public data set (movies), trains, aligns,
gives every node a last-modified property, and after 0, 1, 10, 100 … changed entities (another name, a quarter also
another relationship) times `sync` with feed "property", with feed "scan" and `align --dry-run`, which must find nothing
left to write.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
from pathlib import Path
from typing import Any

from neo4j_align.store.database import Database
from tests.benchmarks.common import Workplace, table, workplaces

CHANGES = (0, 1, 10, 100, 1_000, 10_000)
FEEDS = {"property": '[sync]\nfeed = "property"\nproperty = "changed"\noverlap = 0\n', "scan": ""}
STAMP = "MATCH (n:Left|Right) WHERE n.changed IS NULL WITH n LIMIT 50000 SET n.changed = $at RETURN count(*) AS done"
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
    parser.add_argument("--model", type=Path, help="a model of this set and mapping, instead of training one")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with workplaces([arguments.set]) as places:
        for place in places:
            records = measure(place, arguments.model)
            if arguments.json:
                arguments.json.write_text(json.dumps(records, indent=1), encoding="utf-8")
            print(report(records))


def measure(place: Workplace, model: Path | None) -> list[dict[str, Any]]:
    """Change more and more entities, and time each way to bring the links up to date."""
    if model is None:
        place.run("train", "--labels", str(place.gold_path))
    else:
        shutil.copytree(model, place.folder / "models" / "align")
    with Database.open(place.connection) as database:
        while database.write(STAMP, at=time.time())[0]["done"]:
            pass
        mapping = (place.folder / "align.toml").read_text(encoding="utf-8")
        records = []
        for feed, section in FEEDS.items():
            (place.folder / "align.toml").write_text(f"{mapping}\n{section}", encoding="utf-8")
            place.run("align")
            for count in CHANGES:
                edit(database, count)
                found = place.run("sync", name="sync")
                whole = place.run("align", "--dry-run", name="align")
                if any(whole[what] for what in ("created", "updated", "retired")):
                    raise SystemExit(f"{feed}, {count}: an alignment would write otherwise: {whole}")
                records.append(
                    {
                        "feed": feed, "changed": count, "found": found["changed_entities"],
                        **{f"{what}_seconds": place.seconds[what] for what in ("sync", "align")},
                        **{f"{what}_mib": place.peak_mib[what] for what in ("sync", "align")},
                        "written": sum(found[what] for what in ("created", "updated", "retired")),
                    }
                )  # fmt: skip
                print(json.dumps(records[-1]), flush=True)
    return records


def edit(database: Database, count: int) -> None:
    """Change some entities, and stamp them and whoever lost a relationship."""
    rows = database.read("MATCH (n:Left|Right) RETURN elementId(n) AS id ORDER BY id")
    chosen = random.Random(count).sample([row["id"] for row in rows], count)
    more = [{"id": one, "more": f" {random.Random(one).choice('abcdefgh')}"} for one in chosen]
    for start in range(0, len(more), 1_000):
        database.write(EDIT, rows=more[start : start + 1_000], at=time.time())


def report(records: list[dict[str, Any]]) -> str:
    """Lay out what each way took."""
    header = ["feed", "changed", "seen", "written", "sync, s", "align, s", "ratio", "sync, MiB", "align, MiB"]
    rows = [
        [
            row["feed"], f"{row['changed']:,}", f"{row['found']:,}", f"{row['written']:,}",
            f"{row['sync_seconds']:.1f}", f"{row['align_seconds']:.1f}",
            f"{row['sync_seconds'] / row['align_seconds']:.1%}", f"{row['sync_mib']:,}", f"{row['align_mib']:,}",
        ]
        for row in records
    ]  # fmt: skip
    return table(header, rows)


if __name__ == "__main__":
    main()
