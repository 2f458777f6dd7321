"""Quality, time and memory on the public data sets, through the product: load, init, train, align, evaluate.

    ALIGN_DATA=/path/to/data python tests/benchmarks/quality.py movies screen itunes-amazon

Every set goes into an emptied embedded server of the benchmark's own; nothing is tuned per set. Prints a table in
Markdown, and with --json FILE writes all figures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from neo4j_align.store.database import Database
from neo4j_align.store.embedded import EmbeddedServer

SETS = ("movies", "screen", "itunes-amazon", "itunes-amazon-dirty", "dblp-acm", "dbp15k-fr-en")
STEPS = ("load", "init", "check", "train", "align", "evaluate")
MEASURES = (
    "precision", "recall", "f1", "prauc", "hits_at_1", "hits_at_10", "pair_completeness",
    "ece", "ece_links", "ece_chance",
)  # fmt: skip


def main() -> None:
    """Run the sets that were asked for and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", default=SETS, help=f"any of {', '.join(SETS)}; default all")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    data = Path(os.environ["ALIGN_DATA"])
    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedServer(Path(home) / "server")
        connection = server.start()
        try:
            results = {}
            for name in arguments.sets:
                with Database.open(connection) as database:
                    _empty(database)
                environment = {
                    **os.environ,
                    "NEO4J_URI": connection.uri,
                    "NEO4J_USERNAME": connection.username,
                    "NEO4J_PASSWORD_FILE": str(server.password_file),
                }
                with tempfile.TemporaryDirectory() as folder:
                    results[name] = _run(data / name, Path(folder), environment)
                print(_rows(name, results[name]), flush=True)
        finally:
            server.stop()
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2), encoding="utf-8")


def _empty(database: Database) -> None:
    while database.write("MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
        pass


def _run(data: Path, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    gold = next(path for name in ("gold.csv", "pairs.csv") if (path := data / name).exists())
    sides = ["--left-label", "Left", "--right-label", "Right"]
    arguments = {
        "load": [str(data), *sides],
        "init": sides,
        "check": ["--create-indexes"],
        "train": ["--labels", str(gold)],
        "align": ["--profile"],
        "evaluate": ["--gold", str(gold)],
    }
    result: dict[str, Any] = {"seconds": {}, "peak_mib": {}}
    for step in STEPS:
        begin = time.perf_counter()
        command = [sys.executable, "-m", "neo4j_align", step, *arguments[step], "--json"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"{' '.join(command)} failed")
        result["seconds"][step] = round(time.perf_counter() - begin, 1)
        result["peak_mib"][step] = usage.ru_maxrss // 1024
        result[step] = json.loads(output)
    return result


def _rows(name: str, result: dict[str, Any]) -> str:
    header = "| data | type | " + " | ".join(MEASURES) + " |\n" + "| --- " * (len(MEASURES) + 2) + "|\n"
    lines = [
        f"| `{name}` | {kind} | " + " | ".join(f"{100 * figures[measure]:.1f}" for measure in MEASURES) + " |\n"
        for kind, figures in result["evaluate"]["types"].items()
    ]
    total, peak = sum(result["seconds"].values()), max(result["peak_mib"].values())
    spent = ", ".join(f"{step} {seconds} s" for step, seconds in result["seconds"].items())
    return header + "".join(lines) + f"\n{name}: {total:.0f} s in all ({spent}); peak memory {peak} MiB\n"


if __name__ == "__main__":
    main()
