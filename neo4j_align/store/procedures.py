"""The statements of `cypher/procedures/`: called by the package, printed for cypher-shell, installed through APOC.

The second line of such a file is its signature as Cypher sees it, `// READ name(argument :: TYPE) :: (column :: TYPE)`.
What the first line declares besides the arguments comes from the configuration: identifiers and constants.
"""

from __future__ import annotations

import contextlib
import functools
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

from neo4j_align.config import Config
from neo4j_align.errors import DatabaseError
from neo4j_align.store import queries, schema
from neo4j_align.store.database import Database, Execute, Rows

_SIGNATURE = re.compile(
    r"// (?P<mode>READ|WRITE) (?P<head>\w+\((?P<arguments>.*?)\) :: \((?P<columns>.*)\))(?=\n)", re.ASCII
)
PATIENCE = 90  # seconds until procedures that were installed answer; APOC looks for new ones every 60 s by default
NAMESPACE = "align"
_MARK = "installed"  # a function whose answer tells which installation is in force


@dataclass(frozen=True)
class Procedure:
    """A stored procedure: `mode` is READ or WRITE, `head` its signature, `arguments` the names that it takes."""

    name: str
    mode: str
    head: str
    arguments: tuple[str, ...]
    query: queries.Query

    @classmethod
    def load(cls, name: str) -> Procedure:
        """Load `cypher/procedures/<name>.cypher`.

        Raises:
            DatabaseError: There is no such procedure, or its two header lines disagree.
        """
        if name not in names():
            raise DatabaseError(f"There is no procedure {name}. There are: {', '.join(names())}.")
        query = queries.load(f"procedures/{name}")
        signature = _SIGNATURE.match(query.text)
        if signature is None or not signature["head"].startswith(f"{name}("):
            raise DatabaseError(f"The second line of procedures/{name}.cypher is no signature of {name}")
        arguments = tuple(re.findall(r"(?:^|, )(\w+)(?= ::| =)", signature["arguments"]))
        if not query.parameters >= set(arguments):
            raise DatabaseError(f"procedures/{name}.cypher takes {arguments} but does not declare them")
        return cls(name, signature["mode"], signature["head"], arguments, query)

    def statement(self, config: Config) -> str:
        """Return the statement with the mapping filled in, so that only the arguments are left as parameters."""
        given = schema.constants(config)
        wanted = self.query.parameters - set(self.arguments)
        text = _filled(self.query, config).partition("\n")[2]
        return re.sub(r"\$(\w+)", lambda m: schema.literal(given[m[1]]) if m[1] in wanted else m[0], text)


@functools.cache
def names() -> tuple[str, ...]:
    """Return the names of all procedures."""
    return tuple(sorted(path.stem for path in (queries.FOLDER / "procedures").glob("*.cypher")))


def call(database: Database, config: Config, name: str, **arguments: Any) -> Rows:
    """Call a procedure's statement without its being installed; arguments that are left out are null."""
    return many(database, config, name, [arguments])[0]


def many(database: Database, config: Config, name: str, calls: list[dict[str, Any]]) -> list[Rows]:
    """Call a procedure's statement several times in one transaction, and return the rows of each call."""
    procedure = Procedure.load(name)
    text, constants = _filled(procedure.query, config), schema.constants(config)
    mapping = {key: constants[key] for key in procedure.query.parameters - set(procedure.arguments)}
    empty = dict.fromkeys(procedure.arguments)

    def work(execute: Execute) -> list[Rows]:
        return [execute(text, **mapping, **{**empty, **arguments}) for arguments in calls]

    return database.transact(work)


def _filled(query: queries.Query, config: Config) -> str:
    identifiers = schema.identifiers(config)
    return query.render(**{name: identifiers[name] for name in query.identifiers})


def install(database: Database, config: Config, namespace: str = NAMESPACE) -> list[str]:
    """Install all procedures as `custom.<namespace>.*` and wait until they answer.

    Returns:
        Their names.

    Raises:
        DatabaseError: APOC Extended is missing, or they do not answer in time.
    """
    _require_apoc(database)
    system, home = database.system(), database.home
    for name in names():
        procedure = Procedure.load(name)
        system.write(
            "CALL apoc.custom.installProcedure($head, $statement, $home, $mode, $purpose)",
            head=f"{namespace}.{procedure.head}", statement=procedure.statement(config), home=home,
            mode=procedure.mode.lower(), purpose=procedure.query.purpose,
        )  # fmt: skip
    mark = secrets.token_hex(4)
    system.write(
        "CALL apoc.custom.installFunction($head, $statement, $home, true, 'which installation this is')",
        head=f"{namespace}.{_MARK}() :: STRING", statement=f"RETURN {schema.literal(mark)} AS mark", home=home,
    )  # fmt: skip
    _wait(database, f"custom.{namespace}.{_MARK}", mark)
    return [f"custom.{namespace}.{name}" for name in names()]


def installed(database: Database, namespace: str = NAMESPACE) -> Rows:
    """Return name, mode and purpose of what is installed of ours in this database; nothing where there is no APOC.

    `SHOW PROCEDURES` would not do: Neo4j goes on to list those that were removed until it is restarted.
    """
    if not _has_apoc(database):
        return []
    text = "CALL apoc.custom.show($home) YIELD name, type, mode, description RETURN * ORDER BY name"
    rows: Rows = database.system().read(text, home=database.home)
    ours = {f"{namespace}.{name}" for name in (*names(), _MARK)}
    return [{**row, "name": f"custom.{row['name']}"} for row in rows if row["name"] in ours]


def remove(database: Database, namespace: str = NAMESPACE) -> list[str]:
    """Remove what is installed of ours; return the names."""
    gone = installed(database, namespace)
    for row in gone:
        drop = "dropProcedure" if row["type"] == "procedure" else "dropFunction"
        name = row["name"].partition(".")[2]
        database.system().write(f"CALL apoc.custom.{drop}($name, $home)", name=name, home=database.home)
    return [row["name"] for row in gone]


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


def _wait(database: Database, function: str, mark: str) -> None:
    """Wait until a function that was installed last gives its mark: APOC takes all over together."""
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(DatabaseError):  # there is no such function yet
            if database.read(f"RETURN {function}() AS mark") == [{"mark": mark}]:
                return
        if time.monotonic() > deadline:
            raise DatabaseError(
                f"The procedures were installed but did not answer within {PATIENCE} s. APOC takes them over every "
                "`apoc.custom.procedures.refresh` milliseconds: see with `neo4j-align procedures list`."
            )
        time.sleep(0.2)
