"""Configuration: errors name their place, passwords never show, and the environment is read in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from neo4j_align import config
from neo4j_align.config import Config, Connection, load_config, parse_config
from neo4j_align.errors import ConfigError
from tests.unit import builders

SECRET = "s3cret=with=signs"
GOOD = """
[left]
label = "IMDb"
key = "uid"

[right]
property = "source"
value = "freebase"
key = "id"

[[types]]
name = "film"
left = "Film"
right = "Movie"
attributes = [
  { name = "year", left = "year", right = "released", kind = "number" },
  { name = "plot", left = "plot" },
  { name = "name", left = "title", right = "name", kind = "name" },
]

[[types]]
name = "genre"
right = "Genre"

[[relations]]
name = "directed"
left = "DIRECTED"
right = "DIRECTED_BY"
inverse = true
"""


def good() -> dict[str, Any]:
    document: dict[str, Any] = vars(config)["tomllib"].loads(GOOD)
    return document


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "align.toml"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URI", "USERNAME", "PASSWORD", "DATABASE", "CREDENTIALS_FILE", "PASSWORD_FILE", "ALIGN_HOME"):
        monkeypatch.delenv(f"NEO4J_{name}", raising=False)


# align.toml


def test_a_good_file_is_read(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    read = load_config(path)
    assert (read.left.label, read.right.property, read.right.value) == ("IMDb", "source", "freebase")
    assert read.type_names == ("film", "genre")
    assert [kind.aligned for kind in read.types] == [True, False]
    assert read.relations[0].inverse
    name = read.types[0].name_attribute
    assert name is not None
    assert name.left == "title"
    assert [slot.name for slot in read.slots] == ["year", "plot", "name"]


def test_the_first_text_names_an_entity_that_has_no_name() -> None:
    document = good()
    document["types"][0]["attributes"].pop()
    name = parse_config(document).types[0].name_attribute
    assert name is not None
    assert name.name == "plot"
    document["types"][0]["attributes"].pop()
    assert parse_config(document).types[0].name_attribute is None


def test_a_missing_file_says_what_to_do(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"align\.toml does not exist\. Run `neo4j-align init`"):
        load_config(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"left = \n", r"align\.toml is not valid TOML: .*line 1"),
        (b"\xff\xfe", r"align\.toml is not UTF-8 text"),
        (b"", r"align\.toml: left: is missing; right: is missing; types: is missing"),
    ],
)
def test_a_file_that_is_none_is_named(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_config(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Cannot read"):
        load_config(tmp_path)


def broken(change: Any) -> dict[str, Any]:
    document = good()
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["left"].pop("key"), r"left.key: is missing"),
        (lambda d: d["left"].update(key=7), "left.key: 7 is no text"),
        (lambda d: d["left"].update(label=""), "left.label: is empty"),
        (lambda d: d["left"].update(property="p", value=1), "left: a side is given either by `label` or by `property`"),
        (lambda d: d["left"].pop("label"), "left: a side is given either by `label` or by `property` and `value`"),
        (lambda d: d["right"].update(value=[1]), "right.value: [1] is neither text nor a whole number, true or false"),
        (lambda d: d["right"].update(str=1), "right.str: is not known, correct or remove it"),
        (lambda d: d["right"].pop("value"), "right: `property` needs a `value`"),
        (lambda d: d["types"][0].update(threshold=1.5), "types.0.threshold: 1.5 is more than 1"),
        (
            lambda d: d["types"][1].update(cardinality="two"),
            """types.1.cardinality: "two" is not 'auto', 'one' or 'many'""",
        ),
        (
            lambda d: d["types"][0]["attributes"][1].update(kind=1),
            "types.0.attributes.1.kind: 1 is not 'name', 'text',",
        ),
        (lambda d: d["types"][1].pop("right"), "top level: `types` entry without `left` and `right`: genre"),
        (lambda d: d["types"][1].update(name="film"), "top level: names of `types` must differ; repeated: film"),
        (lambda d: d["types"].pop(0), "top level: no entry of `types` has both"),
        (lambda d: d.update(types=[]), "top level: no entry of `types` has both"),
        (lambda d: d.update(types="film"), 'types: "film" is no list'),
        (
            lambda d: d["relations"].append(d["relations"][0]),
            "top level: names of `relations` must differ; repeated: dir",
        ),
        (lambda d: d["relations"][0].update(invers=True), "relations.0.invers: is not known, correct or remove it"),
        (lambda d: d["relations"][0].update(inverse="maybe"), 'relations.0.inverse: "maybe" is neither true nor false'),
        (lambda d: d.update(sampling={"neighbours": 0}), "sampling.neighbours: 0 is less than 1"),
        (lambda d: d.update(sampling={"neighbours": "ten"}), 'sampling.neighbours: "ten" is no whole number'),
        (lambda d: d.update(sampling={"neighbours": 1.5}), "sampling.neighbours: 1.5 is no whole number"),
        (lambda d: d.update(sampling={"neighbours": ["x" * 999]}), f'sampling.neighbours: ["{"x" * 58}… is no whole'),
        (lambda d: d.update(sampling=10), "sampling: 10 is no table"),
        (lambda d: d.update(training={"dropout": 1}), "training.dropout: 1 is not less than 1"),
        (lambda d: d.update(training={"learning_rate": 0.0}), "training.learning_rate: 0.0 is not more than 0"),
        (lambda d: d.update(training={"learning_rate": "fast"}), 'training.learning_rate: "fast" is no number'),
        (lambda d: d.update(typs=[]), "typs: is not known, correct or remove it"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(change: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(broken(change))
    assert str(error.value).startswith(message)
    assert "; " not in str(error.value).replace("; repeated", "")  # one mistake, one message


def test_all_mistakes_are_named_at_once(path: Path) -> None:
    path.write_text(GOOD.replace('key = "uid"', "").replace("inverse = true", 'inverse = "maybe"'), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"align\.toml: left\.key: .*; relations\.0\.inverse: "):
        load_config(path)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parse_config(good()).left.key = "other"  # type: ignore[misc]


def test_the_digest_is_that_of_what_is_said() -> None:
    first = parse_config(good())
    assert first.digest() == parse_config(good()).digest()
    assert len(first.digest()) == 16
    seeds = {parse_config(good() | {"sampling": {"seed": seed}}).digest() for seed in (13, 14)}
    assert first.digest() in seeds
    assert len(seeds) == 2
    # What is written out and what is left at its default are one.
    assert parse_config(first.model_dump(mode="json")).digest() == first.digest()


def test_what_a_model_is_bound_to() -> None:
    first = parse_config(good())
    free = [
        lambda d: d["left"].update(label="Other"),
        lambda d: d["types"][0].update(threshold=0.9, cardinality="many"),
        lambda d: d.update(training={"epochs": 1}),
    ]
    bound = [
        lambda d: d["types"][0].update(left="Other"),
        lambda d: d["relations"][0].update(inverse=False),
        lambda d: d.update(candidates={"per_entity": 3}),
        lambda d: d.update(sampling={"seed": 1}),
    ]
    assert [parse_config(broken(change)).learned() == first.learned() for change in free] == [True] * 3
    assert [parse_config(broken(change)).learned() == first.learned() for change in bound] == [False] * 4


def test_what_is_configured_comes_before_what_was_learned() -> None:
    document = good()
    assert parse_config(document).decisions((0.3, 0.4), (True, False)) == ([0.3, 0.4], [True, False])
    document["types"][0] |= {"threshold": 0.0, "cardinality": "many"}
    document["types"][1]["cardinality"] = "one"
    assert parse_config(document).decisions((0.3, 0.4), (True, False)) == ([0.0, 0.4], [False, True])


# The connection


def password(connection: Connection) -> str:
    return connection.password.get_secret_value()


def test_without_an_environment_there_are_defaults() -> None:
    connection = Connection.from_environment()
    assert (connection.uri, connection.username, connection.database) == ("neo4j://localhost:7687", "neo4j", None)
    assert password(connection) == ""
    assert not config.has_connection()
    assert config.server_home() is None


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"URI": "bolt://db:7687", "USERNAME": "ada", "PASSWORD": SECRET, "DATABASE": "films"}
    for name, value in values.items():
        monkeypatch.setenv(f"NEO4J_{name}", value)
    connection = Connection.from_environment()
    assert (connection.uri, connection.username, connection.database) == ("bolt://db:7687", "ada", "films")
    assert password(connection) == SECRET
    assert config.has_connection()
    given = Connection.from_environment(uri="bolt://other", username=None, database="books")
    assert (given.uri, given.username, given.database) == ("bolt://other", "ada", "books")


def credentials(folder: Path, text: str) -> str:
    (folder / "aura.txt").write_text(text, encoding="utf-8", newline="")
    return str(folder / "aura.txt")


AURA = f"""# Wait 60 seconds before connecting using these details
NEO4J_URI=neo4j+s://abc.example.com
NEO4J_USERNAME=ada

NEO4J_PASSWORD={SECRET}
NEO4J_DATABASE=films
AURA_INSTANCEID=abc
# NEO4J_DATABASE=comment
"""


@pytest.mark.parametrize("text", [AURA, AURA.replace("\n", "\r\n"), AURA.replace("\n", "  \n")])
def test_an_aura_credentials_file_is_read(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_CREDENTIALS_FILE", credentials(tmp_path, text))
    connection = Connection.from_environment()
    found = (connection.uri, connection.username, connection.database)
    assert found == ("neo4j+s://abc.example.com", "ada", "films")
    assert password(connection) == SECRET
    assert config.has_connection()


def test_what_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is given, then the environment, then the password's file, then the credentials' file."""
    monkeypatch.setenv("NEO4J_CREDENTIALS_FILE", credentials(tmp_path, AURA))
    (tmp_path / "password").write_text(" from its file\n", encoding="utf-8")
    monkeypatch.setenv("NEO4J_PASSWORD_FILE", str(tmp_path / "password"))
    monkeypatch.setenv("NEO4J_USERNAME", "environment")
    monkeypatch.setenv("NEO4J_DATABASE", "")  # set, but empty: says nothing
    connection = Connection.from_environment(uri="bolt://given")
    assert connection.uri == "bolt://given"
    assert connection.username == "environment"
    assert password(connection) == "from its file"
    assert connection.database == "films"
    monkeypatch.setenv("NEO4J_PASSWORD", "from the environment")
    assert password(Connection.from_environment()) == "from the environment"


@pytest.mark.parametrize("variable", ["NEO4J_CREDENTIALS_FILE", "NEO4J_PASSWORD_FILE"])
def test_a_file_that_cannot_be_read_is_named(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match=r"Cannot read .*nowhere: No such file"):
        Connection.from_environment()
    (tmp_path / "nowhere").write_bytes(b"\xff" + SECRET.encode())
    with pytest.raises(ConfigError, match="nowhere is not UTF-8 text") as error:
        Connection.from_environment()
    assert SECRET not in str(error.value)


def test_a_password_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_PASSWORD", SECRET)
    connection = Connection.from_environment()
    shown = [repr(connection), str(connection), f"{connection}", repr(connection.model_dump()), f"{vars(connection)}"]
    shown += [connection.model_dump_json(), repr({"connection": connection}), repr(connection.password)]
    assert password(connection) == SECRET
    assert not any(SECRET in text for text in shown)


def test_a_password_in_the_configuration_is_refused_and_not_repeated(path: Path) -> None:
    path.write_text(f'password = "{SECRET}"\n{GOOD}', encoding="utf-8")
    with pytest.raises(ConfigError, match="password: is not known") as error:
        load_config(path)
    assert SECRET not in str(error.value)


def test_the_servers_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEO4J_ALIGN_HOME", "~/graphs")
    assert config.server_home() == Path.home() / "graphs"


def test_a_configuration_holds_no_connection() -> None:
    """So that no password can reach a model, which holds its configuration."""
    settings = {"sampling", "candidates", "training", "history", "sync"}
    assert set(Config.model_fields) == {"left", "right", "types", "relations"} | settings


def test_how_long_runs_are_kept_changes_no_link() -> None:
    """So neither what a model is bound to nor a run's fingerprint of its configuration depends on it."""
    kept = builders.config(history={"days": 1, "runs": 1})
    assert kept.digest() == builders.config().digest()
    assert kept.learned() == builders.config().learned()
