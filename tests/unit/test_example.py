"""The example is what its README says, and comes from its facts."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from neo4j_align.config import Config, load_config

MEDIA = Path(__file__).parents[2] / "examples" / "media"
SIDES = ("left", "right")
DATA = ("left.nodes.jsonl", "right.nodes.jsonl", "left.edges.csv", "right.edges.csv", "gold.csv")


@dataclass(frozen=True)
class Graph:
    """One side: its nodes by key, its edges, and who is next to whom by which relation."""

    nodes: dict[str, dict[str, Any]]
    edges: list[tuple[str, str, str]]
    around: dict[str, list[tuple[str, str]]]

    def named(self, name: str, label: str) -> list[str]:
        """Return the keys of the nodes of a label that have a name."""
        return [uid for uid in self.nodes if self.name(uid) == name and self.nodes[uid]["type"] == label]

    def only(self, name: str, label: str) -> str:
        """Return the key of the one node of a label that has a name."""
        (uid,) = self.named(name, label)
        return uid

    def name(self, uid: str) -> str:
        """Return its name, or its title."""
        node = self.nodes[uid]
        return str(node.get("name", node.get("title")))

    def by(self, uid: str, relation: str) -> list[str]:
        """Return the names of the neighbours by a relation, in either direction."""
        return sorted(self.name(other) for kind, other in self.around[uid] if kind == relation)


@cache
def graph(side: str) -> Graph:
    lines = (MEDIA / f"{side}.nodes.jsonl").read_text("utf-8").splitlines()
    nodes = [json.loads(line) for line in lines]
    assert len({node["uid"] for node in nodes}) == len(nodes)
    with (MEDIA / f"{side}.edges.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["source", "relation", "target"]
    edges = [(source, relation, target) for source, relation, target in rows]
    around: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for source, relation, target in edges:
        around[source].append((relation, target))
        around[target].append((relation, source))
    return Graph({node["uid"]: node for node in nodes}, edges, around)


@cache
def gold() -> list[dict[str, str]]:
    with (MEDIA / "gold.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def links() -> dict[str, str]:
    return {row["left"]: row["right"] for row in gold()}


@cache
def config() -> Config:
    return load_config(MEDIA / "align.toml")


def split_of(left: str, right: str) -> str | None:
    return next((row["split"] for row in gold() if (row["left"], row["right"]) == (left, right)), None)


def folded(name: str) -> list[str]:
    """Words of a name without case, accents, punctuation and order."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return sorted(re.findall(r"\w+", plain.lower().replace("&", "and")))


# -- the format --


def test_files_come_from_the_facts(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(MEDIA / "build.py"), str(tmp_path)], check=True)
    for name in DATA:
        assert (tmp_path / name).read_bytes() == (MEDIA / name).read_bytes(), f"{name}: run build.py"


def test_files_are_small() -> None:
    assert sum(file.stat().st_size for file in MEDIA.iterdir() if file.is_file()) < 300_000


@pytest.mark.parametrize("side", SIDES)
def test_nodes_fit_the_mapping(side: str) -> None:
    attributes = {
        getattr(t, side): {getattr(a, side) for a in t.attributes if getattr(a, side)} for t in config().types
    }
    seen: dict[str, set[str]] = defaultdict(set)
    for node in graph(side).nodes.values():
        assert re.fullmatch(rf"{side[0]}:[0-9a-f]{{10}}", node["uid"])
        values = {key: value for key, value in node.items() if key not in ("uid", "type")}
        assert set(values) <= attributes[node["type"]]
        assert all(value not in (None, "") for value in values.values())
        seen[node["type"]] |= set(values)
    assert seen == attributes, "every mapped attribute occurs"


@pytest.mark.parametrize("side", SIDES)
def test_values_have_the_kind_that_the_mapping_says(side: str) -> None:
    kinds = {
        (getattr(t, side), getattr(a, side)): a.kind for t in config().types for a in t.attributes
    }  # fmt: skip
    for node in graph(side).nodes.values():
        for key, value in node.items():
            match kinds.get((node["type"], key)):
                case "number":
                    assert isinstance(value, int)
                    assert value > 0
                case "date" if side == "left":
                    assert isinstance(value, int)
                    assert 1850 < value < 2030
                case "date":
                    assert re.fullmatch(r"\d{4}(-\d\d-\d\d)?", value)
                case _:
                    assert isinstance(value, str)


@pytest.mark.parametrize("side", SIDES)
def test_edges_lead_from_node_to_node_by_a_mapped_relation(side: str) -> None:
    here = graph(side)
    assert len(set(here.edges)) == len(here.edges)
    for source, _, target in here.edges:
        assert source in here.nodes
        assert target in here.nodes
    assert {relation for _, relation, _ in here.edges} == {
        getattr(relation, side) for relation in config().relations if getattr(relation, side)
    }
    assert set(here.around) == set(here.nodes), "nobody stands alone"


def test_relations_run_the_way_the_mapping_says() -> None:
    def ends(side: str, relation: str | None) -> set[tuple[str, str]]:
        nodes = graph(side).nodes
        types = {getattr(t, side): t.name for t in config().types}
        return {(types[nodes[s]["type"]], types[nodes[t]["type"]]) for s, r, t in graph(side).edges if r == relation}

    shared = [relation for relation in config().relations if relation.left and relation.right]
    for relation in shared:
        (left,) = ends("left", relation.left)
        (right,) = ends("right", relation.right)
        assert left == (right[::-1] if relation.inverse else right), relation.name
    assert {relation.inverse for relation in shared} == {True, False}
    assert len(shared) < len(config().relations), "some relations are known to one side only"


def test_keys_do_not_give_the_answer_away() -> None:
    tails = [{uid.partition(":")[2] for uid in graph(side).nodes} for side in SIDES]
    assert not tails[0] & tails[1]
    left, right = (
        {uid: place / len(graph(side).nodes) for place, uid in enumerate(graph(side).nodes)} for side in SIDES
    )
    away = [abs(left[l_uid] - right[r_uid]) for l_uid, r_uid in links().items()]
    assert sum(away) / len(away) > 0.25, "nor does the order of the lines: a third is chance"


# -- the gold --


def test_gold_is_one_to_one_and_of_one_type() -> None:
    assert len({row["left"] for row in gold()}) == len({row["right"] for row in gold()}) == len(gold())
    types = {t.name: (t.left, t.right) for t in config().types}
    for row in gold():
        ends = (graph("left").nodes[row["left"]]["type"], graph("right").nodes[row["right"]]["type"])
        assert ends == types[row["type"]]
    assert {row["type"] for row in gold()} == set(types)


@pytest.mark.parametrize("kind", ["film", "artist", "song", "album"])
def test_splits_are_stratified(kind: str) -> None:
    count = Counter(row["split"] for row in gold() if row["type"] == kind)
    assert set(count) == {"train", "valid", "test"}
    for split, share in {"train": 0.5, "valid": 0.2, "test": 0.3}.items():
        assert count[split] / count.total() == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("left", "right", "least", "links_at_least"),
    [
        ("Film", "Movie", 80, 75),
        ("Artist", "Agent", 120, 100),
        ("Song", "Track", 50, 50),
        ("Album", "Record", 25, 25),
    ],
)
def test_each_type_has_entities_with_and_without_a_counterpart(
    left: str, right: str, least: int, links_at_least: int
) -> None:
    for side, label, linked in (("left", left, set(links())), ("right", right, set(links().values()))):
        here = {uid for uid, node in graph(side).nodes.items() if node["type"] == label}
        assert len(here) >= least
        assert len(here & linked) >= links_at_least
        assert len(here - linked) >= 0.15 * len(here)


def test_neighbourhoods_overlap_and_differ() -> None:
    shared_with_all, shared_with_none = 0, 0
    for left, right in links().items():
        mine = {links().get(uid, uid) for _, uid in graph("left").around[left]}
        theirs = {uid for _, uid in graph("right").around[right]}
        shared_with_all += mine == theirs
        shared_with_none += not mine & theirs
    assert shared_with_none <= 0.03 * len(links())
    assert shared_with_all <= 0.6 * len(links())


def test_attributes_are_missing_here_and_there() -> None:
    for side in SIDES:
        for t in config().types:
            nodes = [n for n in graph(side).nodes.values() if n["type"] == getattr(t, side)]
            for attribute in t.attributes:
                key = getattr(attribute, side)
                if key and attribute.kind == "name":
                    assert all(key in node for node in nodes)
                elif key:
                    assert 0 < sum(key not in node for node in nodes) < 0.6 * len(nodes), (side, key)


# -- the two named cases --


def test_aditya_raj_is_known_by_his_films() -> None:
    left, right = graph("left"), graph("right")
    here, there = left.only("Aditya Raj", "Artist"), right.only("Aditya Raj Kapoor", "Agent")
    assert split_of(here, there) == "test"
    films = ["Chase", "Diwangi Ne Had Kar Di", "Isi Life Mein...!", "Mumbai 118"]
    assert left.by(here, "ACTED_IN") == films
    assert right.by(there, "CAST") == ["Chase", "Isi Life Mein"]
    assert {relation for relation, _ in left.around[here]} == {"ACTED_IN"}
    for title, name in (("Chase", "Chase"), ("Isi Life Mein...!", "Isi Life Mein")):
        film = links()[left.only(title, "Film")]
        assert film == right.only(name, "Movie")
        assert split_of(left.only(title, "Film"), film) != "train", "the films are for the model to find, too"
    for title in ("Mumbai 118", "Diwangi Ne Had Kar Di"):
        assert not right.named(title, "Movie")
        assert left.only(title, "Film") not in links()


def test_nothing_but_the_films_tells_who_aditya_raj_is() -> None:
    assert "birth_year" not in graph("left").nodes[graph("left").only("Aditya Raj", "Artist")]
    assert "born" not in graph("right").nodes[graph("right").only("Aditya Raj Kapoor", "Agent")]
    right = graph("right")
    films = set(right.by(right.only("Aditya Raj Kapoor", "Agent"), "CAST"))
    for name in ("Aditya Roy Kapoor", "Raj Kapoor", "Aditya Chopra"):
        others = right.around[right.only(name, "Agent")]
        assert others
        assert not films & {right.name(uid) for _, uid in others}


def test_radioactive_has_no_counterpart() -> None:
    left, right = graph("left"), graph("right")
    original, remix = left.only("Radioactive", "Song"), right.only("Radioactive", "Track")
    assert original not in links()
    assert remix not in links().values()
    both = "Imagine Dragons"
    assert left.by(original, "PERFORMED_BY") == [both]
    assert right.by(remix, "PERFORMER") == [both, "Kendrick Lamar"]
    assert left.nodes[original]["year"] == 2012
    assert right.nodes[remix]["published"].startswith("2014")
    assert right.nodes[remix]["seconds"] - left.nodes[original]["length"] > 60
    assert left.by(original, "ON_ALBUM") == ["Night Visions"]
    assert right.by(remix, "TRACKLIST") == []


@pytest.mark.parametrize(
    ("left_relation", "right_relation", "count"),
    [("WRITTEN_BY", "COMPOSED", 5), ("PRODUCED_BY", "PRODUCER", 1)],
)
def test_radioactive_and_its_remix_have_the_same_makers(left_relation: str, right_relation: str, count: int) -> None:
    left, right = graph("left"), graph("right")
    original, remix = left.only("Radioactive", "Song"), right.only("Radioactive", "Track")
    makers = [uid for relation, uid in left.around[original] if relation == left_relation]
    theirs = {uid for relation, uid in right.around[remix] if relation == right_relation}
    assert {links()[uid] for uid in makers} == theirs
    assert len(theirs) == count


def test_the_album_of_radioactive_and_the_second_performer_are_on_both_sides() -> None:
    left, right = graph("left"), graph("right")
    assert links()[left.only("Night Visions", "Album")] == right.only("Night Visions", "Record")
    assert links()[left.only("Lamar, Kendrick", "Artist")] == right.only("Kendrick Lamar", "Agent")
    demons = left.only("Demons", "Song")
    assert links()[demons] == right.only("Demons", "Track")


# -- the other hard cases --


def look_alikes(left_label: str, right_label: str) -> list[tuple[str, str]]:
    """Return the pairs of one name that are not linked."""
    left, right = graph("left"), graph("right")
    return [
        (here, there)
        for here, node in left.nodes.items()
        for there, other in right.nodes.items()
        if (node["type"], other["type"]) == (left_label, right_label)
        and folded(left.name(here)) == folded(right.name(there))
        and links().get(here) != there
    ]


@pytest.mark.parametrize(
    ("left", "right", "least"),
    [("Film", "Movie", 35), ("Song", "Track", 25), ("Artist", "Agent", 5), ("Album", "Record", 2)],
)
def test_there_are_look_alikes_of_each_type(left: str, right: str, least: int) -> None:
    assert len(look_alikes(left, right)) >= least


@pytest.mark.parametrize(
    "title",
    ["A Star Is Born", "King Kong", "Psycho", "The Fly", "True Grit", "Cape Fear", "RoboCop", "Godzilla"],
)
def test_remakes_share_a_title(title: str) -> None:
    left = graph("left")
    films = [uid for uid in left.nodes if folded(left.name(uid)) == folded(title)]
    films = [uid for uid in films if left.nodes[uid]["type"] == "Film"]
    assert len(films) >= 2
    assert any(other in films for uid in films for kind, other in left.around[uid] if kind == "REMAKE_OF")


def test_wrong_versions_are_there_to_learn_from() -> None:
    """Training and validation have songs whose look-alike on the other side is not the same."""
    splits = {row[side]: row["split"] for row in gold() for side in SIDES}
    pairs = look_alikes("Song", "Track")
    for split, least in (("train", 6), ("valid", 2)):
        assert sum(split in (splits.get(here), splits.get(there)) for here, there in pairs) >= least
    alone = [pair for pair in pairs if pair[0] not in splits and pair[1] not in splits]
    names = {graph("left").name(here) for here, _ in alone}
    assert names >= {"Radioactive", "Mi Gente", "Valerie", "No Woman, No Cry"}


def test_remixes_share_writers_and_producers() -> None:
    left, right = graph("left"), graph("right")
    alike = 0
    for here, there in look_alikes("Song", "Track"):
        makers = {links().get(uid) for kind, uid in left.around[here] if kind in ("WRITTEN_BY", "PRODUCED_BY")}
        theirs = {uid for kind, uid in right.around[there] if kind in ("COMPOSED", "PRODUCER")}
        alike += len(makers & theirs) >= 2
    assert alike >= 8


@pytest.mark.parametrize(
    ("name", "count"), [("Steve McQueen", 2), ("Roger Taylor", 2), ("Vanessa Williams", 2), ("Tony Leung", 2)]
)
def test_people_share_a_name(name: str, count: int) -> None:
    people = graph("left").named(name, "Artist")
    assert len(people) == count
    assert all(uid in links() for uid in people)
    assert len({links()[uid] for uid in people}) == count
    works = [{other for _, other in graph("left").around[uid]} for uid in people]
    assert works[0] != works[1]


WITHIN_ANOTHER = [
    ("Billy Ray", "Billy Ray Cyrus"),
    ("Bobby Brown", "Millie Bobby Brown"),
    ("Clarence Gatemouth Brown", "Clarence Brown"),
    ("Douglas Fairbanks Jr.", "Douglas Fairbanks"),
    ("Hank Williams", "Hank Williams Jr."),
    ("Helena Carter", "Helena Bonham Carter"),
    ("James Arnold Taylor", "James Taylor"),
    ("Jason Lee", "Jason Scott Lee"),
    ("Jerry Lewis", "Jerry Lee Lewis"),
    ("John Ford", "John Ford Coley"),
    ("John Lee", "John Lee Hancock"),
    ("John Lee", "John Lee Hooker"),
    ("Kevin Peter Hall", "Peter Hall"),
    ("Lon Chaney", "Lon Chaney Jr."),
    ("Michael Clarke", "Michael Clarke Duncan"),
    ("Michael Hall", "Anthony Michael Hall"),
    ("Paul Jones", "John Paul Jones"),
    ("Raj Kumar Gupta", "Raj Kumar"),
    ("Ram Gopal", "Ram Gopal Varma"),
    ("Robert Downey", "Robert Downey Jr."),
    ("Tim Blake", "Tim Blake Nelson"),
    ("Tom Everett Scott", "Tom Everett"),
    ("Tommy Lee", "Tommy Lee Jones"),
]
WITHIN_ITS_OWN = [
    ("Aishwarya Rai", "Aishwarya Rai Bachchan"),
    ("Alejandro González Iñárritu", "Alejandro Inarritu"),
    ("Chloë Moretz", "Chloe Grace Moretz"),
    ("Courteney Cox", "Courteney Cox Arquette"),
    ("Gael García Bernal", "Gael Garcia"),
    ("Jada Pinkett", "Jada Pinkett Smith"),
    ("Joanne Whalley-Kilmer", "Joanne Whalley"),
    ("John Cougar", "John Cougar Mellencamp"),
    ("Kareena Kapoor", "Kareena Kapoor Khan"),
    ("Rebecca Romijn", "Rebecca Romijn-Stamos"),
    ("Robin Wright", "Robin Wright Penn"),
]


def person(side: str, name: str) -> str:
    """Return the key of the one artist of a name, in whatever order and accents."""
    people = [uid for uid, node in graph(side).nodes.items() if node["type"] in ("Artist", "Agent")]
    (uid,) = (uid for uid in people if folded(graph(side).name(uid)) == folded(name))
    return uid


def shared_works(left: str, right: str) -> int:
    works = {links().get(uid) for _, uid in graph("left").around[left]}
    return len(works & {uid for _, uid in graph("right").around[right]})


def contained(one: str, other: str) -> bool:
    small, large = sorted((set(folded(one)), set(folded(other))), key=len)
    return small < large


@pytest.mark.parametrize(("left", "right"), WITHIN_ANOTHER)
def test_a_name_within_another_may_be_another_person(left: str, right: str) -> None:
    here, there = person("left", left), person("right", right)
    assert contained(left, right)
    assert here not in links()
    assert there not in links().values() or right == "Billy Ray Cyrus"
    assert shared_works(here, there) == 0


@pytest.mark.parametrize(("left", "right"), WITHIN_ITS_OWN)
def test_a_name_within_another_may_be_the_same_person(left: str, right: str) -> None:
    here, there = person("left", left), person("right", right)
    assert contained(left, right)
    assert split_of(here, there) in ("train", "valid")
    assert shared_works(here, there) >= 1
    assert "birth_year" not in graph("left").nodes[here]
    assert "born" not in graph("right").nodes[there]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Mathers, Marshall", "Eminem"),
        ("Snoop Dogg", "Calvin Broadus"),
        ("Lady Gaga", "Stefani Germanotta"),
        ("Gordon Sumner", "Sting"),
        ("Andrei Tarkovsky", "Андрей Тарковский"),
        ("Sergei Eisenstein", "Сергей Эйзенштейн"),
        ("Akira Kurosawa", "黒澤明"),
        ("Bong Joon-ho", "Joon Ho Bong"),
        ("Wong Kar-wai", "Kar Wai Wong"),
        ("Simon & Garfunkel", "Simon and Garfunkel"),
        ("Göransson, Ludwig", "Ludwig Goransson"),
    ],
)
def test_one_person_has_two_names(left: str, right: str) -> None:
    assert links()[graph("left").only(left, "Artist")] == graph("right").only(right, "Agent")


def test_the_left_writes_last_first_and_the_right_no_accents() -> None:
    left, right = graph("left"), graph("right")
    people = [left.name(uid) for uid, node in left.nodes.items() if node["type"] == "Artist"]
    assert sum(", " in name for name in people) > 0.25 * len(people)
    assert any("é" in left.name(uid) for uid in left.nodes)
    latin = [right.name(uid) for uid in right.nodes if "LATIN" in unicodedata.name(right.name(uid)[0], "")]
    assert all(name.isascii() for name in latin)


def test_the_readme_tells_the_truth() -> None:
    text = (MEDIA / "README.md").read_text("utf-8")
    row = re.compile(r"\| [^|]+ \| `(l:\w+)` \| ([^|]+) \| `(r:\w+)` \| ([^|]+) \| ([^|]+) \|")
    rows = row.findall(text)
    assert len(rows) > 40
    for left, left_name, right, right_name, verdict in rows:
        assert (graph("left").name(left), graph("right").name(right)) == (left_name, right_name)
        split = split_of(left, right)
        assert verdict == (f"link, {split}" if split else "no")
    for t in config().types:
        for side, counted in (("left", t.left), ("right", t.right)):
            count = sum(node["type"] == counted for node in graph(side).nodes.values())
            assert f"{count} `{counted}`" in text
        assert f"| {sum(row['type'] == t.name for row in gold())} |" in text
    assert f"| relationships | {len(graph('left').edges)} | {len(graph('right').edges)} |" in text
