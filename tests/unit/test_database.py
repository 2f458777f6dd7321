"""The gate's errors, as far as they need no database."""

from __future__ import annotations

import pytest

from neo4j_align.config import Connection
from neo4j_align.errors import DatabaseError
from neo4j_align.store.database import Database, _driver, _translated


def test_what_the_driver_makes_of_an_interruption_is_one() -> None:
    """Interrupted as it reads, the driver cannot close its session: its BufferError would hide Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), _translated():
        raise BufferError("Existing exports of data: object cannot be re-sized")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("bolt://neo4j:s3cret@127.0.0.1:7687", "holds no user name and no password"),
        ("http://127.0.0.1:7474", r"http://127\.0\.0\.1:7474 is no address .* neo4j://"),
        ("localhost", "localhost is no address"),
    ],
)
def test_an_address_that_is_none_is_refused_and_no_password_is_said(uri: str, said: str) -> None:
    with pytest.raises(DatabaseError, match=said) as caught:
        Database.open(Connection(uri=uri))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("uri", ["NEO4J://localhost:7687", "Bolt+ssc://localhost"])
def test_a_scheme_may_be_in_capitals(uri: str) -> None:
    _driver(Connection(uri=uri)).close()
