"""The promise: after any edits, a sync leaves what an alignment from scratch would; and where nothing changed, nothing.

ALIGN_EDITS raises the number of sequences of edits that hypothesis makes up for each feed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, note, settings
from hypothesis import strategies as st

from neo4j_align import Aligner
from neo4j_align.config import Config, Connection
from neo4j_align.errors import ConfigError, DataError, ModelError
from neo4j_align.gnn.saved import Model
from neo4j_align.settings import Sync
from neo4j_align.store import changes, runs, undo, verdicts
from neo4j_align.store.database import Database
from neo4j_align.store.lease import Lease
from tests.integration.conftest import EXAMPLE, Run, document, load_example

FEEDS = {"scan": Sync(), "property": Sync(feed="property", property="changed"), "trigger": Sync(feed="trigger")}
Edit = Callable[["Editor"], None]


def fed(config: Config, feed: str) -> Config:
    return config.model_copy(update={"sync": FEEDS[feed]})


def stand(database: Database) -> pd.DataFrame:
    rows = database.read(
        "MATCH (l:Catalogue)-[s:SAME_AS]->(r:Wiki) "
        "RETURN l.uid AS left, r.uid AS right, s.confidence AS confidence, s.score AS score, s.status AS status"
    )
    table = pd.DataFrame(rows, columns=["left", "right", "confidence", "score", "status"])
    return table.sort_values(["left", "right"]).reset_index(drop=True)


def assert_as_from_scratch(database: Database, config: Config, model: Model, edits: list[str]) -> None:
    """Compare with what `align` would write, which sees no link that a run wrote."""
    expected = Aligner(config, database).align(model, dry_run=True)
    assert expected.changes == {"created": 0, "updated": 0, "retired": 0}, edits
    found = stand(database)
    predicted = found[found["status"] == "predicted"].drop(columns="status")
    columns = ["left", "right", "confidence", "score"]
    wanted = expected.links[columns].sort_values(["left", "right"])
    pd.testing.assert_frame_equal(predicted.reset_index(drop=True), wanted.reset_index(drop=True), check_dtype=False)


class Editor:
    """Edits the example as its users might, and touches `changed` as users of that feed would."""

    def __init__(self, database: Database, config: Config, chance: random.Random) -> None:
        self.database, self.config, self.chance = database, config, chance
        self.done: list[str] = []

    def say(self, text: str) -> None:
        """Remember an edit, and have hypothesis print it where the sequence fails."""
        self.done.append(text)
        note(text)

    def node(self) -> str:
        keys = self.database.read("MATCH (n:Catalogue|Wiki) RETURN n.uid AS uid ORDER BY uid")
        return str(self.chance.choice(keys)["uid"])

    def write(self, text: str, **parameters: Any) -> None:
        self.say(f"{text} {parameters}")
        self.database.write(text, **parameters)

    def change(self) -> None:
        self.write(
            "MATCH (n {uid: $uid}) SET n.name = $name, n.title = $name, n.changed = datetime()",
            uid=self.node(), name=self.chance.choice(["Stalker", "Solaris", "x", "Die Another Day"]),
        )  # fmt: skip

    def empty(self) -> None:
        self.write("MATCH (n {uid: $uid}) REMOVE n.name, n.title SET n.changed = datetime()", uid=self.node())

    def add(self) -> None:
        label, kind, name = self.chance.choice([("Catalogue:Film", "title", "l"), ("Wiki:Movie", "name", "r")])
        uid = f"{name}:new{self.chance.random():.6f}"
        self.write(f"CREATE (:{label} {{uid: $uid, {kind}: 'Solaris', changed: datetime()}})", uid=uid)

    def remove(self) -> None:
        self.write("MATCH (n {uid: $uid}) DETACH DELETE n", uid=self.node())

    def remove_hub(self) -> None:
        hub = self.database.read("MATCH (n:Wiki) RETURN n.uid AS uid ORDER BY COUNT { (n)--() } DESC, uid LIMIT 1")
        self.write("MATCH (n {uid: $uid})--(m) SET m.changed = datetime()", uid=hub[0]["uid"])
        self.write("MATCH (n {uid: $uid}) DETACH DELETE n", uid=hub[0]["uid"])

    def relate(self) -> None:
        found = self.database.read(
            "MATCH (a)-[r]->(b) WHERE NOT type(r) IN ['SAME_AS', 'NOT_SAME_AS', 'IN_RUN'] "
            "RETURN a.uid AS start, type(r) AS type, b.uid AS end ORDER BY start, type, end"
        )
        row, other = self.chance.choice(found), self.chance.choice(found)
        self.write(
            f"MATCH (a {{uid: $start}})-[r:{row['type']}]->(b {{uid: $end}}) "
            "MATCH (c {uid: $other}) WHERE labels(c) = labels(b) "
            f"CREATE (a)-[:{row['type']}]->(c) SET a.changed = datetime(), c.changed = datetime()",
            start=row["start"], end=row["end"], other=other["end"],
        )  # fmt: skip
        self.write(
            f"MATCH (a {{uid: $start}})-[r:{row['type']}]->(b {{uid: $end}}) "
            "SET a.changed = datetime(), b.changed = datetime() DELETE r",
            start=row["start"], end=row["end"],
        )  # fmt: skip

    def rename(self) -> None:
        uid = self.node()
        self.write("MATCH (n {uid: $uid}) SET n.uid = $uid + '-', n.changed = datetime()", uid=uid)

    def move(self) -> None:
        """Move a node to the other side, or to another type of its side, with its relationships and its links."""
        kinds = ["Catalogue:Film", "Wiki:Movie", "Catalogue:Artist", "Wiki:Agent"]
        labels = ":".join([*kinds, "Song", "Track", "Album", "Record"])
        self.write(
            f"MATCH (n {{uid: $uid}}) REMOVE n:{labels} SET n:{self.chance.choice(kinds)}, "
            "n.name = coalesce(n.name, n.title), n.title = coalesce(n.title, n.name), n.changed = datetime()",
            uid=self.node(),
        )  # fmt: skip

    def judge(self) -> None:
        table = stand(self.database)
        if table.empty:  # after an undo
            return
        row = table.iloc[self.chance.randrange(len(table))]
        kinds: list[Literal["confirm", "reject", "withdraw"]] = ["confirm", "reject", "withdraw"]
        kind = self.chance.choice(kinds)
        self.say(f"{kind} {row['left']} {row['right']}")
        if kind != "withdraw":
            verdicts.judge(self.database, self.config, kind, [{"left": row["left"], "right": row["right"]}])
        elif row["status"] == "confirmed":
            verdicts.withdraw(self.database, self.config, [{"left": row["left"], "right": row["right"]}])

    def cut(self) -> None:
        self.write("MATCH (n {uid: $uid})-[s:SAME_AS]-() WHERE s.status = 'predicted' DELETE s", uid=self.node())

    def undo(self) -> None:
        self.say("undo last")
        undo.undo(self.database, self.config, runs.show(self.database, "last")["id"], force=True)


KINDS = [
    *("change", "empty", "add", "remove", "remove_hub", "relate", "rename", "move"),
    *("judge", "judge", "judge", "cut", "undo"),
]


@pytest.mark.timeout(600 * int(os.environ.get("ALIGN_EDITS", "2")))
@pytest.mark.parametrize(
    ("feed", "remembers"), [("scan", True), ("property", True), ("trigger", True), ("scan", False)]
)
@example(edits=KINDS, seed=13)
@settings(
    max_examples=int(os.environ.get("ALIGN_EDITS", "2")),
    derandomize="ALIGN_EDITS" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
@given(edits=st.lists(st.sampled_from(KINDS), min_size=2, max_size=9), seed=st.integers(0, 999))
def test_a_sync_leaves_what_an_alignment_would(
    database: Database,
    config: Config,
    model: Model,
    tmp_path_factory: pytest.TempPathFactory,
    feed: str,
    remembers: bool,
    edits: list[str],
    seed: int,
) -> None:
    remove_triggers(database)  # of the sequence before
    load_example(database)
    config = fed(config, feed)
    database.write("MATCH (n:Catalogue|Wiki) SET n.changed = datetime()")
    memory = tmp_path_factory.mktemp("memory") / "memory" if remembers else None
    Aligner(config, database, memory=memory).align(model)
    if feed == "trigger":
        wait_for_the_trigger(database)
    editor = Editor(database, config, random.Random(seed))
    for some in (edits[::2], edits[1::2]):
        for kind in some:
            getattr(editor, kind)()
        found = Aligner(config, database, memory=memory).sync(model)
        assert_as_from_scratch(database, config, model, editor.done)
        again = Aligner(config, database).sync(model)
        assert (again.run, again.changed_entities) == (None, 0), (found, editor.done)


def wait_for_the_trigger(database: Database) -> None:
    """APOC puts a new trigger into force after `apoc.trigger.refresh`."""
    deadline = time.monotonic() + 300
    while not database.read("MATCH (e:AlignEvent) RETURN e LIMIT 1"):
        assert time.monotonic() < deadline
        database.write("MATCH (n:Wiki) WITH n ORDER BY n.uid LIMIT 1 SET n.changed = datetime()")
        time.sleep(0.2)


@pytest.fixture(autouse=True)
def _no_trigger(database: Database) -> Any:
    yield
    remove_triggers(database)


def remove_triggers(database: Database) -> None:
    if changes.has_trigger(database):
        changes.remove_triggers(database)


def test_the_first_sync_is_an_alignment(example: Database, config: Config, model: Model) -> None:
    expected = Aligner(config, example).align(model, dry_run=True).links
    found = Aligner(config, example).sync(model)
    assert found.changes["created"] == len(expected)
    assert runs.show(example, "last")["kind"] == "sync"
    assert runs.show(example, "last")["changed_entities"] > 1000


def test_only_what_changed_is_counted(example: Database, config: Config, model: Model) -> None:
    Aligner(config, example).align(model)
    example.write("MATCH (n:Catalogue) WITH n ORDER BY n.uid LIMIT 3 SET n.title = 'other', n.name = 'other'")
    assert Aligner(config, example).sync(model).changed_entities == 3
    assert runs.show(example, "last")["changed_entities"] == 3


def test_a_sync_keeps_the_precision_of_the_last_alignment(example: Database, config: Config, model: Model) -> None:
    strict = Aligner(config, example).align(model, precision=0.95).links
    example.write("MATCH (n:Catalogue) WITH n ORDER BY n.uid LIMIT 1 SET n.unmapped = 1")
    assert Aligner(config, example).sync(model).run is None
    example.write("MATCH (n:Catalogue)-[s:SAME_AS]->() WITH s LIMIT 1 DELETE s")
    assert len(Aligner(config, example).sync(model).links) == len(strict)


def test_another_model_is_refused_with_the_remedy(example: Database, config: Config, model: Model) -> None:
    Aligner(config, example).align(model)
    example.write("MATCH (state:AlignState {name: 'Catalogue|Wiki/sync'}) SET state.model = 'other'")
    with pytest.raises(ModelError, match=r"made by model other.*align --dry-run"):
        Aligner(config, example).sync(model)


def test_another_alignment_in_the_same_database_is_another_matter(
    example: Database, config: Config, model: Model
) -> None:
    Aligner(config, example).align(model)
    example.write("MATCH (n:Wiki) SET n:Copy")
    other = config.model_copy(update={"right": config.right.model_copy(update={"label": "Copy"})})
    found = Aligner(other, example).sync(model)
    assert found.changes["created"] == len(found.links) > 300
    assert Aligner(config, example).sync(model).run is None
    assert Aligner(config, example).align(model).changes == {"created": 0, "updated": 0, "retired": 0}
    assert Aligner(other, example).sync(model).run is None


def test_the_link_of_an_entity_that_left_its_graph_goes(example: Database, config: Config, model: Model) -> None:
    left = Aligner(config, example).align(model).links.iloc[0]["left"]
    example.write("MATCH (n:Catalogue {uid: $uid}) REMOVE n:Catalogue", uid=left)
    assert Aligner(config, example).sync(model).changes["retired"] >= 1
    assert not example.read("MATCH (n {uid: $uid})-[s:SAME_AS]->() RETURN s", uid=left)


def test_a_sync_that_would_take_most_links_away_writes_nothing(
    example: Database, config: Config, model: Model, tmp_path: Path
) -> None:
    """A property was renamed while nobody looked: links are to stand until somebody has."""
    aligner = Aligner(config, example, memory=tmp_path / "memory")
    aligner.align(model)
    stood = stand(example)
    rename = "MATCH (n:Catalogue) SET n.{} = n.{}, n.{} = n.{} REMOVE n.{}, n.{}".format
    example.write(rename("other", "name", "another", "title", "name", "title"))
    for _ in range(2):
        with pytest.raises(DataError, match=r"Of \d+ links of the type \w+ this sync would leave \d+, so .*align"):
            aligner.sync(model)
    pd.testing.assert_frame_equal(stand(example), stood)
    assert runs.show(example, "last")["status"] == "failed"

    example.write(rename("name", "other", "title", "another", "other", "another"))
    assert aligner.sync(model).run is None
    example.write("MATCH (n:Catalogue) REMOVE n.name, n.title")
    assert aligner.align(model).changes["retired"] > len(stood) / 2
    assert aligner.sync(model).run is None


def test_a_sync_follows_a_person_who_says_better_of_most_links(example: Database, config: Config, model: Model) -> None:
    links = Aligner(config, example).align(model).links
    films = links[links["type"] == "film"]
    turned = [{"left": a, "right": b} for a, b in zip(films["left"], films["right"].iloc[::-1], strict=True)]
    verdicts.judge(example, config, "confirm", turned)
    found = Aligner(config, example).sync(model)
    assert found.changes["retired"] >= len(films) / 2
    assert_as_from_scratch(example, config, model, [])


def test_another_configuration_is_no_reason_to_skip(example: Database, config: Config, model: Model) -> None:
    Aligner(config, example).align(model)
    types = tuple(kind.model_copy(update={"threshold": 0.9}) for kind in config.types)
    found = Aligner(config.model_copy(update={"types": types}), example).sync(model)
    assert found.changes["retired"] > 0


def test_a_run_cut_off_before_its_end_is_done_again(
    example: Database, config: Config, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(self: Aligner, *_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Aligner, "_remember", dies)
        with pytest.raises(KeyboardInterrupt):
            Aligner(config, example).align(model)
    found = Aligner(config, example).sync(model)
    assert found.run is not None
    assert found.changes == {"created": 0, "updated": 0, "retired": 0}


def test_a_verdict_given_during_a_run_is_seen_by_the_next_sync(
    example: Database, config: Config, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = Aligner(config, example).align(model).links.iloc[0]
    example.write("MATCH (n:Catalogue) WITH n ORDER BY n.uid DESC LIMIT 1 SET n.title = 'x', n.name = 'x'")
    remember = Aligner._remember

    def meanwhile(self: Aligner, *arguments: Any) -> None:
        verdicts.judge(example, config, "reject", [{"left": chosen["left"], "right": chosen["right"]}])
        remember(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(Aligner, "_remember", meanwhile)
        Aligner(config, example).sync(model)
    assert Aligner(config, example).sync(model).run is not None
    assert Aligner(config, example).sync(model).run is None


def test_a_trigger_sees_an_entity_leave_its_graph(example: Database, config: Config, model: Model) -> None:
    noted = fed(config, "trigger")
    left = Aligner(noted, example).align(model).links.iloc[0]["left"]
    Aligner(noted, example).sync(model)  # the trigger may not be in force at first: the graph itself tells
    wait_for_the_trigger(example)
    Aligner(noted, example).sync(model)
    assert Aligner(noted, example).sync(model).run is None
    example.write("MATCH (n:Catalogue {uid: $uid}) REMOVE n:Catalogue", uid=left)
    assert Aligner(noted, example).sync(model).changes["retired"] >= 1


def test_another_feed_takes_the_trigger_away(example: Database, config: Config, model: Model) -> None:
    Aligner(fed(config, "trigger"), example).align(model)
    assert changes.has_trigger(example)
    Aligner(config, example).sync(model)
    assert not changes.has_trigger(example)


def test_a_property_that_nobody_has(example: Database, config: Config, model: Model) -> None:
    with pytest.raises(ConfigError, match="No entity has the property changed"):
        Aligner(fed(config, "property"), example).align(model)


def test_numbers_as_times(example: Database, config: Config, model: Model) -> None:
    numbered = fed(config, "property")
    example.write("MATCH (n:Catalogue|Wiki) SET n.changed = 1000")
    Aligner(numbered, example).align(model)
    assert Aligner(numbered, example).sync(model).run is None
    example.write("MATCH (n:Catalogue) WITH n ORDER BY n.uid LIMIT 2 SET n.changed = 950")  # within the overlap
    assert Aligner(numbered, example).sync(model).changed_entities == 2


@pytest.mark.parametrize("now", ["datetime()", "localdatetime()", "date()"])
def test_a_time_to_come_hides_no_change(example: Database, config: Config, model: Model, now: str) -> None:
    timed = fed(config, "property")
    example.write(f"MATCH (n:Catalogue|Wiki) SET n.changed = {now} - duration('P40D')")
    example.write(f"MATCH (n:Catalogue:Film) WITH n LIMIT 1 SET n.changed = {now} + duration('P400D')")
    Aligner(timed, example).align(model)
    assert Aligner(timed, example).sync(model).changed_entities == 0
    example.write(
        "MATCH (n:Catalogue:Film) WHERE n.changed < date() + duration('P1D') OR n.changed < datetime() "
        f"OR n.changed < localdatetime() WITH n LIMIT 1 SET n.changed = {now} - duration('P1D'), n.title = 'Anew'"
    )
    assert Aligner(timed, example).sync(model).changed_entities == 1


def test_a_clock_ahead_of_the_server_hides_nothing(example: Database, config: Config, model: Model) -> None:
    ahead = fed(config, "property")
    example.write("MATCH (n:Catalogue|Wiki) SET n.changed = localdatetime() + duration('PT5H')")
    Aligner(ahead, example).align(model)
    example.write("MATCH (n:Catalogue:Film) WITH n LIMIT 1 SET n.changed = n.changed + duration('PT1M'), n.title = 'A'")
    assert Aligner(ahead, example).sync(model).changed_entities == 1


def test_sync_on_the_command_line(run: Run, example: Database, model_folder: Path) -> None:
    common = ("--config", EXAMPLE / "align.toml", "--model", model_folder)
    first = document(run("sync", "--json", *common))
    assert first["created"] > 300
    assert first["drift"].keys() >= {"scores", "first candidates"}
    assert document(run("sync", "--json", *common))["run"] is None
    assert "Nothing has changed" in run("sync", *common).stdout
    assert "is no duration" in run("sync", "--every", "often", *common, code=2).stderr
    assert "is no cron expression" in run("sync", "--cron", "often", *common, code=2).stderr
    run("sync", "--every", "1m", "--cron", "* * * * *", *common, code=2)
    run("sync", "--metrics-port", "9400", *common, code=2)


@pytest.fixture
def environment(neo4j_connection: Connection) -> dict[str, str]:
    return {
        **os.environ,
        "NEO4J_URI": neo4j_connection.uri,
        "NEO4J_USERNAME": neo4j_connection.username,
        "NEO4J_PASSWORD": neo4j_connection.password.get_secret_value(),
    }


def test_a_quiet_sync_does_not_load_what_judging_takes(
    run: Run, example: Database, model_folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Those packages take seconds and hundreds of MiB, and a crontab starts a process each time."""
    example.write("MATCH (n:Catalogue|Wiki) SET n.changed = datetime()")
    mapping = tmp_path / "align.toml"
    feed = '[sync]\nfeed = "property"\nproperty = "changed"\n'
    mapping.write_text(f"{(EXAMPLE / 'align.toml').read_text(encoding='utf-8')}\n{feed}", encoding="utf-8")
    common = ["--config", str(mapping), "--model", str(model_folder)]
    run("align", *common)
    said = "import sys; from neo4j_align.cli import main; main(sys.argv[1:], standalone_mode=False)"
    command = [sys.executable, "-c", f"{said}; print(sorted({{'torch', 'dgl', 'sklearn'}} & sys.modules.keys()))"]

    def loaded() -> list[str]:
        arguments = [*command, "sync", *common]
        found = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True, timeout=300)
        return found.stdout.splitlines()

    assert loaded() == ["Nothing has changed since the last run.", "[]"]
    example.write(
        "MATCH (n:Catalogue) WITH n ORDER BY n.uid LIMIT 1 SET n.title = 'x', n.name = 'x', n.changed = datetime()"
    )
    assert loaded()[-1] == "['sklearn', 'torch']"
    example.write("MATCH (:Catalogue)-[s:SAME_AS]->() WITH s LIMIT 1 DELETE s")
    assert loaded()[-1] == "['sklearn', 'torch']"
    assert loaded()[-1] == "[]"


def test_a_scheduled_sync_runs_skips_and_stops(
    example: Database, model_folder: Path, environment: dict[str, str]
) -> None:
    """Three lines: it syncs, it skips while another run is writing, and SIGTERM ends it with exit code 0."""
    command = ["sync", "--every", "5s", "--json", "--config", EXAMPLE / "align.toml", "--model", model_folder]
    arguments = [sys.executable, "-m", "neo4j_align", *map(str, command)]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert json.loads(process.stdout.readline())["outcome"] == "done"
            assert json.loads(process.stdout.readline())["counts"]["created"] == 0
            with Lease(example, "writer", "align"):
                example.write("MATCH (:Catalogue)-[s:SAME_AS]->() WITH s LIMIT 1 DELETE s")
                lines = [json.loads(process.stdout.readline())["outcome"] for _ in range(3)]
                assert "skipped" in lines
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(300) == 0
