"""The statements of `cypher/procedures/`: called by the package, printed for cypher-shell, installed through APOC.

The second line of such a file is its signature as Cypher sees it, `// READ name(argument :: TYPE) :: (column :: TYPE)`.
What the first line declares besides the arguments comes from the configuration: identifiers and constants.
`python -m neo4j_align.store.procedures` prints docs/procedures.md.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from neo4j_align.config import Config
from neo4j_align.errors import ConfigError, DatabaseError
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database, Execute, Rows

_SIGNATURE = re.compile(r"// (?P<mode>READ|WRITE) (?P<head>(?P<name>\w+)\((?P<arguments>.*?)\) :: \(.+\))\n", re.ASCII)
_ARGUMENT = re.compile(r"(?P<name>\w+)(?: = (?P<default>null|true|false|-?\d+(\.\d+)?|\{\}))? :: [A-Z ]+", re.ASCII)
_NAMESPACE = re.compile(r"[A-Za-z]\w*", re.ASCII)
PATIENCE = 90  # seconds until procedures that were installed answer; APOC looks for new ones every 60 s by default
_AGAIN = 5  # seconds until an installation that does not answer is announced again
NAMESPACE = "align"
GROUPS = {
    "Look up": ("same_as", "entity", "cluster", "unmatched", "stats", "runs", "run"),
    "Decide": ("review_queue", "confirm", "reject", "withdraw", "conflicts"),
    "Act": ("submit", "job", "cancel", "candidates", "neighbourhood", "explain"),
}
_ONCE = {"submit", "withdraw"}  # done twice, these say or do something else than done once
_MARK = "installed"  # a function whose answer tells which installation is in force


@dataclass(frozen=True)
class Procedure:
    """A stored procedure.

    Attributes:
        mode: READ or WRITE; head: its signature; arguments: the names that it takes, with the default of each: null
            where it has none.
        optional: the arguments that have a default.
    """

    name: str
    mode: str
    head: str
    arguments: dict[str, Any]
    optional: frozenset[str]
    query: queries.Query

    @classmethod
    def load(cls, name: str) -> Procedure:
        """Load `cypher/procedures/<name>.cypher`.

        Raises:
            DatabaseError: There is no such procedure, or its two header lines disagree.
        """
        if name not in names():
            raise DatabaseError(f"There is no procedure {name}. There are: {', '.join(names())}.")
        return cls.of(queries.load(f"procedures/{name}"))

    @classmethod
    def of(cls, query: queries.Query) -> Procedure:
        """Read the signature of a procedure's query.

        Raises:
            DatabaseError: Its two header lines disagree.
        """
        signature = _SIGNATURE.match(query.text)
        if signature is None or signature["name"] != query.name:
            raise DatabaseError(f"The second line of procedures/{query.name}.cypher is no signature of {query.name}")
        parts = [_ARGUMENT.fullmatch(part) for part in signature["arguments"].split(", ") if part]
        found = {part["name"]: part["default"] for part in parts if part is not None}
        if len(found) < len(parts) or not query.parameters >= found.keys():
            raise DatabaseError(
                f"procedures/{query.name}.cypher takes ({signature['arguments']}), which is malformed or not declared"
            )
        arguments = {argument: json.loads(default or "null") for argument, default in found.items()}
        optional = frozenset(argument for argument, default in found.items() if default is not None)
        return cls(query.name, signature["mode"], signature["head"], arguments, optional, query)

    def constants(self, config: Config) -> dict[str, Any]:
        """Return the parameters that the mapping gives."""
        given = schema.constants(config)
        return {name: given[name] for name in sorted(self.query.parameters - self.arguments.keys())}

    def render(self, config: Config) -> str:
        """Return the statement with labels and keys filled in; arguments and constants are parameters."""
        identifiers = schema.identifiers(config)
        return self.query.render(**{name: identifiers[name] for name in self.query.identifiers})

    def statement(self, config: Config) -> str:
        """Return the statement with the mapping filled in, so that only the arguments are left as parameters."""
        identifiers, constants = schema.identifiers(config), self.constants(config)

        def fill(found: re.Match[str]) -> str:  # all at once: a label may look like a parameter
            if found["identifier"]:
                return identifiers[found["identifier"]]
            return schema.literal(constants[found["parameter"]]) if found["parameter"] in constants else found[0]

        return re.sub(r"`\{(?P<identifier>\w+)\}`|\$(?P<parameter>\w+)", fill, self.query.text.partition("\n")[2])

    def script(self, config: Config) -> str:
        """Return the statement for `cypher-shell -f`: what it is, what it takes, and a semicolon at its end."""
        lines = [f"// {self.name}: {self.query.purpose}", f"// {self.mode} {self.head}"]
        if self.arguments:
            values = {
                name: json.dumps(self.arguments[name]) if name in self.optional else "…" for name in self.arguments
            }
            given = ", ".join(f"{name}: {value}" for name, value in values.items())
            lines.append(f'// Give all its parameters: cypher-shell -P "{{{given}}}"')
        return "\n".join([*lines, self.statement(config).strip() + ";"])


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all procedures."""
    return tuple(sorted(path.stem for path in (queries.FOLDER / "procedures").glob("*.cypher")))


def call(database: Database, config: Config, name: str, **arguments: Any) -> Rows:
    """Call a procedure's statement without its being installed; arguments that are left out have their defaults."""
    procedure = Procedure.load(name)
    if procedure.mode == "WRITE":
        return many(database, config, name, [arguments])[0]
    given = {**procedure.constants(config), **procedure.arguments, **arguments}
    rows: Rows = database.read(procedure.render(config), **given)
    return rows


def many(database: Database, config: Config, name: str, calls: list[dict[str, Any]]) -> list[Rows]:
    """Call a procedure's statement several times in one writing transaction, and return the rows of each call."""

    def work(execute: Execute) -> list[Rows]:
        return [within(execute, config, name, **arguments) for arguments in calls]

    return database.transact(work, again=name not in _ONCE)


def within(execute: Execute, config: Config, name: str, **arguments: Any) -> Rows:
    """Call a procedure's statement as a part of a transaction."""
    procedure = Procedure.load(name)
    return execute(procedure.render(config), **{**procedure.constants(config), **procedure.arguments, **arguments})


def install(database: Database, config: Config, namespace: str = NAMESPACE) -> list[str]:
    """Install all procedures as `custom.<namespace>.*` and wait until they answer.

    Returns:
        Their names.

    Raises:
        ConfigError: The namespace is not one.
        DatabaseError: APOC Extended is missing, or they do not answer in time.
    """
    if not _NAMESPACE.fullmatch(namespace):
        raise ConfigError(f"{namespace!r} is no namespace. Take a word of letters and digits.")
    _require_apoc(database)
    system, home = database.system(), database.home
    for name in names():
        procedure = Procedure.load(name)
        system.write(
            "CALL apoc.custom.installProcedure($head, $statement, $home, $mode, $purpose)",
            head=f"{namespace}.{procedure.head}", statement=procedure.statement(config), home=home,
            mode=procedure.mode.lower(), purpose=procedure.query.purpose,
        )  # fmt: skip
    _put_in_force(database, namespace)
    return [f"custom.{namespace}.{name}" for name in names()]


def installed(database: Database, namespace: str = NAMESPACE) -> Rows:
    """Return name, mode and purpose of our procedures in this database; nothing where there is no APOC."""
    return [
        {"name": f"custom.{row['name']}", "mode": row["mode"], "purpose": row["description"]}
        for row in _known(database, namespace)
        if row["type"] == "procedure"
    ]


def remove(database: Database, namespace: str = NAMESPACE) -> list[str]:
    """Remove what is installed of ours, and wait until it answers no more; return the procedures' names.

    Raises:
        DatabaseError: It goes on to answer.
    """
    system, home = database.system(), database.home
    gone = [row["name"] for row in installed(database, namespace)]
    for name in gone:
        system.write("CALL apoc.custom.dropProcedure($name, $home)", name=name.removeprefix("custom."), home=home)
    if gone:
        _put_in_force(database, namespace)
    if _known(database, namespace):
        system.write("CALL apoc.custom.dropFunction($name, $home)", name=f"{namespace}.{_MARK}", home=home)
    return gone


def _known(database: Database, namespace: str) -> Rows:
    """Return what APOC holds of ours for this database.

    `SHOW PROCEDURES` would not do: Neo4j goes on to list those that were removed until it is restarted.
    """
    if not _has_apoc(database):
        return []
    text = "CALL apoc.custom.show($home) YIELD name, type, mode, description RETURN * ORDER BY name"
    rows: Rows = database.system().read(text, home=database.home)
    ours = {f"{namespace}.{name}" for name in (*names(), _MARK)}
    return [row for row in rows if row["name"] in ours]


def _has_apoc(database: Database) -> bool:
    text = "SHOW PROCEDURES YIELD name WHERE name = 'apoc.custom.installProcedure' RETURN name"
    return bool(database.read(text))


def _require_apoc(database: Database) -> None:
    if not _has_apoc(database):
        raise DatabaseError(
            "This server lacks APOC Extended, which stored procedures take. Put apoc-extended into its plugins folder "
            "and allow `dbms.security.procedures.unrestricted=apoc.*`, then restart it. Where that cannot be done, as "
            "on Aura, run the statements themselves: `neo4j-align procedures show NAME` prints one for cypher-shell "
            "or a driver."
        )


def _put_in_force(database: Database, namespace: str) -> None:
    """Install a function and wait until it gives its mark: APOC takes over together what was changed before.

    It takes over what has a later stamp than its last look, and stamps before it commits: what is committed around a
    look is never taken over. Installing the function again stamps it anew.
    """
    mark, due, start = secrets.token_hex(4), 0.0, time.monotonic()
    while (now := time.monotonic()) < start + PATIENCE:
        if now >= due:
            database.system().write(
                "CALL apoc.custom.installFunction($head, $statement, $home, true, 'which installation this is')",
                head=f"{namespace}.{_MARK}() :: STRING", statement=f"RETURN {schema.literal(mark)} AS mark",
                home=database.home,
            )  # fmt: skip
            due = now + _AGAIN
        with contextlib.suppress(DatabaseError):  # there is no such function yet
            if database.read(f"RETURN custom.{namespace}.{_MARK}() AS mark") == [{"mark": mark}]:
                return
        time.sleep(0.2)
    raise DatabaseError(
        f"APOC has not taken over the change of the procedures within {PATIENCE} s. It looks for changes every "
        "`apoc.custom.procedures.refresh` milliseconds: set that lower in apoc.conf, and do it again."
    )


_INTRODUCTION = """\
# Procedures

Links are looked up and judged in Cypher by the statements below, in three ways:

- **Installed**, as `CALL custom.align.same_as('tt0133093')`: `neo4j-align procedures install` fills in the mapping of
  align.toml. It takes APOC Extended on a server of your own. Install again when the mapping has changed; a second
  alignment in the same database takes a `--namespace` of its own.
- **As a statement**, on any Neo4j: `neo4j-align procedures show same_as > same_as.cypher` writes it with the mapping
  filled in, for a driver or for `cypher-shell -P "{key: 'tt0133093'}" -f same_as.cypher`. It takes all its parameters,
  also those with a default. Aura has no APOC Extended, so this is the way there.
- **From Python**: `procedures.call(database, config, "same_as", key="tt0133093")` with `neo4j_align.store.procedures`.

Keys are found as text and as whole numbers: `'7'` and `7` are the same key. `left` and `right` are the two sides of
align.toml, and links run from left to right. A WRITE procedure takes a user that may write; a verdict holds at once,
no run changes it, and `withdraw` takes it back.

A key, type, run or job that is not known gives no rows, as one of which there is nothing to say does; what was to be
judged or asked for says why not in `status`. `type` is the name that a type has in align.toml.
"""


def document() -> str:
    """Return docs/procedures.md."""
    parts = [_INTRODUCTION]
    for title, members in GROUPS.items():
        parts.append(f"## {title}\n")
        for procedure in map(Procedure.load, members):
            purpose = procedure.query.purpose
            parts.append(f"### {procedure.name}\n\n{purpose[0].upper()}{purpose[1:]}.\n")
            parts.append(f"```text\n{procedure.mode} {_laid_out(procedure)}\n```\n")
    return "\n".join(parts)


def _laid_out(procedure: Procedure) -> str:
    """Return a signature with each of its columns in a line."""
    takes, _, gives = procedure.head.partition(" :: (")
    return f"{takes} ::\n  " + ",\n  ".join(re.split(r", (?=\w+ ::)", gives.removesuffix(")")))


if __name__ == "__main__":
    print(document(), end="")
