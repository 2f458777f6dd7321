"""What the benchmarks share: a server of their own, the product's commands, tables in Markdown."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from neo4j_align.cli.learn import read_table
from neo4j_align.config import Config, Connection, load_config
from neo4j_align.store.database import Database

BIG = ("movies", "screen", "dbp15k-fr-en")
SMALL = ("itunes-amazon", "itunes-amazon-dirty", "dblp-acm")
SETS = (*BIG, *SMALL)
FIRST_SEED = 13
SIDES = ["--left-label", "Left", "--right-label", "Right"]


@dataclass
class Workplace:
    """A data set in the database, and the folder in which the commands run on it.

    Attributes:
        data: folder of the set; seconds, peak_mib: of the commands so far; output: what each printed.
    """

    data: Path
    folder: Path
    connection: Connection
    environment: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, int] = field(default_factory=dict)
    output: dict[str, Any] = field(default_factory=dict)
    _mapping: str = ""

    @property
    def gold_path(self) -> Path:
        return next(path for name in ("gold.csv", "pairs.csv") if (path := self.data / name).exists())

    @property
    def gold(self) -> pd.DataFrame:
        return read_table(self.gold_path)

    @property
    def config(self) -> Config:
        return load_config(self.folder / "align.toml")

    def prepare(self) -> None:
        """Empty the database, load the set, and let `init` guess the mapping."""
        with Database.open(self.connection) as database:
            while database.write("MATCH (n) WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS gone")[0]["gone"]:
                pass
        self.run("load", str(self.data), *SIDES)
        self.run("init", *SIDES)
        self.run("check", "--create-indexes")
        self._mapping = (self.folder / "align.toml").read_text(encoding="utf-8")

    def seed(self, number: int) -> None:
        """Set the seed of the training; all else stays as `init` wrote it."""
        text = f"{self._mapping}\n[training]\nseed = {number}\n"
        (self.folder / "align.toml").write_text(text, encoding="utf-8")

    def run(self, step: str, *arguments: str, name: str | None = None) -> Any:
        """Run a command in a process of its own, and note under its name what it took and what it printed."""
        begin = time.perf_counter()
        command = [sys.executable, "-m", "neo4j_align", step, *arguments, "--json"]
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE)
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if status:
            raise SystemExit(f"{' '.join(command)} failed")
        self.seconds[name or step] = round(time.perf_counter() - begin, 1)
        self.peak_mib[name or step] = usage.ru_maxrss // 1024
        self.output[name or step] = json.loads(output)
        return self.output[name or step]


@contextlib.contextmanager
def workplaces(names: Sequence[str]) -> Iterator[Iterator[Workplace]]:
    """Start an embedded server, and yield each set's workplace in turn, ready to train."""
    with empty_workplaces() as make:
        yield (_prepared(make(name)) for name in names)


@contextlib.contextmanager
def empty_workplaces() -> Iterator[Callable[[str], Workplace]]:
    """Start an embedded server, and yield what makes a workplace on it, with nothing loaded yet."""
    from neo4j_align.store.embedded import EmbeddedServer  # some benchmarks need none, nor its packages

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped as well
    data = Path(os.environ["ALIGN_DATA"]).resolve()
    with tempfile.TemporaryDirectory() as home:
        server = EmbeddedServer(Path(home) / "server")
        connection = server.start()
        environment = {
            **os.environ,
            "NEO4J_URI": connection.uri,
            "NEO4J_USERNAME": connection.username,
            "NEO4J_PASSWORD_FILE": str(server.password_file),
        }

        def make(name: str) -> Workplace:
            folder = Path(home) / name
            folder.mkdir()
            return Workplace(data / name, folder, connection, environment)

        try:
            yield make
        finally:
            server.stop()


def _prepared(place: Workplace) -> Workplace:
    place.prepare()
    return place


def parser(doc: str | None, sets: Sequence[str], marker: str) -> argparse.ArgumentParser:
    """Return a parser of what all benchmarks take that keep their figures in a JSON file and show them in a page."""
    found = argparse.ArgumentParser(description=(doc or "").split("\n\n", maxsplit=1)[0])
    found.add_argument("sets", nargs="*", default=sets, help=f"of {', '.join(SETS)}; default {', '.join(sets)}")
    found.add_argument("--json", type=Path, help="keep all figures in this file, beside those of other runs in it")
    found.add_argument("--docs", type=Path, help=f"put the tables between the marks <!-- {marker} --> of this file")
    found.add_argument("--show", action="store_true", help="measure nothing: show what the JSON file holds")
    return found


def seeds(count: int) -> range:
    return range(FIRST_SEED, FIRST_SEED + count)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def spread(values: Sequence[float], digits: int = 1, scale: float = 1.0) -> str:
    """Write the mean of some runs, with their standard deviation where there are several; "–" where there are none."""
    column = scale * pd.Series(values, dtype=float)
    if column.empty:
        return "–"
    deviation = f" ± {column.std():,.{digits}f}" if len(column) > 1 else ""
    return f"{column.mean():,.{digits}f}{deviation}"


def replace_between(path: Path, marker: str, text: str) -> None:
    """Put a text between `<!-- marker -->` and `<!-- /marker -->` of a file."""
    before = path.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.DOTALL)
    after, found = pattern.subn(lambda match: f"{match[1]}\n{text.strip()}\n\n{match[2]}", before)
    if not found:
        raise SystemExit(f"{path} has no <!-- {marker} --> … <!-- /{marker} -->")
    path.write_text(after, encoding="utf-8")


def remembered(path: Path | None) -> list[dict[str, Any]]:
    """Return the records that a JSON file of earlier runs holds."""
    if path is None or not path.exists():
        return []
    records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return records


def remember(path: Path | None, records: list[dict[str, Any]], record: dict[str, Any]) -> None:
    """Add a run to the records, in place of an older one of the same set, variant and seed, and write them."""
    name = ("data", "variant", "seed")
    records[:] = [old for old in records if any(old[part] != record[part] for part in name)]
    records.append(record)
    if path is not None:
        path.write_text(json.dumps(records, indent=1), encoding="utf-8")
