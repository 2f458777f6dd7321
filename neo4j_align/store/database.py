"""The gate to Neo4j: connect, read, write in batches, retry. The only import of the driver."""

from __future__ import annotations

import contextlib
import functools
import logging
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, TypeVar

import neo4j
from neo4j import exceptions
from pydantic import SecretStr

from neo4j_align import __version__
from neo4j_align.config import Connection
from neo4j_align.errors import DatabaseError, NameTakenError

T = TypeVar("T")
Rows = list[dict[str, Any]]
Execute = Callable[..., Rows]  # runs a statement, its parameters by name
log = logging.getLogger(__name__)

SCHEMES = [f"{scheme}{tls}" for scheme in ("neo4j", "bolt") for tls in ("", "+s", "+ssc")]
OLDEST_SERVER = (5, 23)
BATCH = 5_000  # rows a transaction; the server's memory for one is a few MiB
_METADATA = {"app": f"neo4j-align/{__version__}"}


def _rows(result: neo4j.Result) -> Rows:
    return [record.data() for record in result]


def only(result: neo4j.Result) -> list[Any]:
    """Return the values of the only row as they came, for long lists: `data` would look at each item."""
    values: list[Any] = result.single(strict=True).values()
    return values


class Database:
    """One database of one server. Every call is a managed transaction, retried while that may help.

    It can be handed to another process, which connects by itself, and reads what was written here too.
    """

    def __init__(
        self, driver: neo4j.Driver, connection: Connection, where: str = "", bookmarks: Iterable[str] = ()
    ) -> None:
        self._driver, self._connection = driver, connection
        self._uri = connection.uri + where
        seen = neo4j.Bookmarks.from_raw_values(bookmarks)
        self._bookmarks = neo4j.GraphDatabase.bookmark_manager(seen)  # a read sees our own writes on a cluster too
        self.name = connection.database

    @classmethod
    def open(cls, connection: Connection) -> Database:
        """Connect and see that the server answers, takes the credentials and is new enough.

        Raises:
            DatabaseError: It does not; the message says the remedy and never the password.
        """
        if connection.database == "system":
            raise DatabaseError("The database `system` holds no graph. Name the one that does: --database.")
        driver = _driver(connection)
        database = cls(driver, connection)
        try:
            with _translated(connection.uri):
                driver.verify_connectivity()  # fails at once, where a read would be tried again for a while
            database.read("RETURN 1")  # sees that this database is there
            if database.version < OLDEST_SERVER:
                raise DatabaseError(f"Neo4j {database.server} is too old: 5.23 or newer is needed. Upgrade it.")
        except BaseException:
            driver.close()
            raise
        return database

    def read(self, query: str, /, consume: Callable[[neo4j.Result], T] | None = None, **parameters: Any) -> Any:
        """Run one reading query and return its rows, or what `consume` makes of the stream.

        `consume` may run again from the start when the transaction is retried.
        """

        @neo4j.unit_of_work(metadata=_METADATA)
        def work(transaction: neo4j.ManagedTransaction) -> Any:
            return (consume or _rows)(transaction.run(query, parameters))

        with self._session(neo4j.READ_ACCESS) as session:
            return session.execute_read(work)

    def write(self, query: str, /, **parameters: Any) -> Rows:
        """Run one writing query in a transaction of its own and return its rows."""
        return self.transact(lambda run: run(query, **parameters))

    def transact(self, work: Callable[[Execute], T], again: bool = True) -> T:
        """Run several statements in one writing transaction: all of them happen, or none.

        `work` gets a function that runs a statement and returns its rows. It may be called again from the start, even
        after a commit of which only the answer was lost: what it does must be the same done twice as done once, or
        `again` be false.
        """

        @neo4j.unit_of_work(metadata=_METADATA)
        def unit(transaction: neo4j.ManagedTransaction) -> T:
            def run(query: str, /, **parameters: Any) -> Rows:
                return _rows(transaction.run(query, parameters))

            return work(run)

        with self._session(neo4j.WRITE_ACCESS) as session:
            try:
                return session.execute_write(unit)
            except exceptions.IncompleteCommit:  # the driver cannot know that it may be done again
                if not again:
                    raise
                return session.execute_write(unit)

    def write_batches(
        self, query: str, rows: Sequence[Any], advance: Callable[[int], None] | None = None, **parameters: Any
    ) -> None:
        """Run a writing query once per batch of `rows`, passed as `$rows`, each in its own transaction."""
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            self.write(query, rows=batch, **parameters)
            if advance:
                advance(len(batch))

    @property
    def server(self) -> str:
        """The server's version and edition, as `5.26.28 community`."""
        row = self.read(
            "CALL dbms.components() YIELD name, versions, edition WHERE name = 'Neo4j Kernel' "
            "RETURN versions[0] AS v, edition AS e"
        )[0]
        return f"{row['v']} {row['e']}"

    @property
    def home(self) -> str:
        """The name of this database, also where none was given."""
        return str(self.read("CALL db.info() YIELD name RETURN name")[0]["name"])

    def system(self) -> Database:
        """Return the server's `system` database, over the same connections."""
        return Database(self._driver, self._connection.model_copy(update={"database": "system"}))

    @functools.cached_property
    def id_prefix(self) -> str:
        """What stands before the number in an elementId of this database; empty where there are no nodes."""
        rows = self.read("MATCH (n) RETURN elementId(n) AS id LIMIT 1")
        return str(rows[0]["id"]).rpartition(":")[0] + ":" if rows else ""

    @property
    def version(self) -> tuple[int, int]:
        """The server's major and minor version."""
        major, minor = self.server.split()[0].split(".")[:2]
        return int(major), int(minor.split("-")[0])

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        return _elsewhere, (self._connection, tuple(self._bookmarks.get_bookmarks()))

    @contextlib.contextmanager
    def _session(self, mode: str) -> Iterator[neo4j.Session]:
        with _translated(self._uri), self._driver.session(
            database=self.name, default_access_mode=mode, fetch_size=BATCH, bookmark_manager=self._bookmarks
        ) as session:  # fmt: skip
            yield session


def _driver(connection: Connection) -> neo4j.Driver:
    if "@" in connection.uri:  # and no message says it: the password is in there
        raise DatabaseError(
            "A URI holds no user name and no password here. Take them out, and give NEO4J_USERNAME (or --user) and "
            "NEO4J_PASSWORD, or NEO4J_PASSWORD_FILE."
        )
    if connection.uri.partition("://")[0].strip().lower() not in SCHEMES:
        raise DatabaseError(
            f"{connection.uri} is no address of Neo4j for programs, which begins with neo4j:// or bolt://, with TLS "
            "neo4j+s:// or bolt+s://, and has the port 7687 most of the time. Check NEO4J_URI (or --uri)."
        )
    with _translated():
        return neo4j.GraphDatabase.driver(
            connection.uri,
            auth=(connection.username, connection.password.get_secret_value()),
            user_agent=_METADATA["app"],
            notifications_min_severity="OFF",
            connection_timeout=15,
            max_transaction_retry_time=30,
        )


_kept_driver = functools.cache(_driver)  # one for all that a process is handed


def _elsewhere(connection: Connection, bookmarks: tuple[str, ...]) -> Database:
    return Database(_kept_driver(connection), connection, f" from {platform.node()}", bookmarks)


def set_initial_password(uri: str, password: SecretStr) -> None:
    """Replace the expired first password of a new server; quietly done when it is already replaced.

    Raises:
        DatabaseError: The server cannot be reached, or knows neither of the two passwords.
    """
    new = password.get_secret_value()
    with _translated(uri):
        with contextlib.suppress(exceptions.AuthError):
            with neo4j.GraphDatabase.driver(uri, auth=("neo4j", new)) as driver:
                driver.verify_connectivity()
            return
        with neo4j.GraphDatabase.driver(uri, auth=("neo4j", "neo4j")) as driver:
            driver.execute_query(
                "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $password", password=new, database_="system"
            )


@contextlib.contextmanager
def _translated(uri: str = "Neo4j") -> Iterator[None]:
    """Turn the driver's errors into ours, with the remedy."""
    try:
        yield
    except exceptions.AuthError as error:
        raise DatabaseError(
            "Neo4j refuses the user name or password. Set NEO4J_USERNAME (or --user) and NEO4J_PASSWORD, "
            "or NEO4J_PASSWORD_FILE."
        ) from error
    except (exceptions.ServiceUnavailable, exceptions.SessionExpired) as error:
        raise DatabaseError(
            f"Cannot reach {uri}: {_first_line(error)}. See that the server runs and that NEO4J_URI (or --uri) "
            'is right; `eval "$(neo4j-align server start --env)"` starts a local one and names it in this shell. '
            "Nothing is lost: run it again."
        ) from error
    except exceptions.ConstraintError as error:
        raise NameTakenError(f"Neo4j says: {error.message} ({error.code})") from error
    except exceptions.Neo4jError as error:
        if error.code and "DatabaseNotFound" in error.code:
            message = str(error.message).rstrip(".")
            raise DatabaseError(f"{message}. Set NEO4J_DATABASE (or --database).") from error
        raise DatabaseError(f"Neo4j says: {error.message} ({error.code})") from error
    except BufferError as error:  # what the driver makes of Ctrl-C as it reads, when it then closes the session
        raise KeyboardInterrupt from error
    except (exceptions.DriverError, ValueError) as error:
        raise DatabaseError(f"{_first_line(error)}. Check NEO4J_URI (or --uri): {uri}") from error


def _first_line(error: Exception) -> str:
    """Return the first line of a message, with the second where that gives the reason."""
    lines = str(error).splitlines() or [type(error).__name__]
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
