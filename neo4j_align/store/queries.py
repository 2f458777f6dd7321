"""The Cypher files of `cypher/`, by name; what a file declares in its header is checked both ways.

The first line of a file is `// name(parameter, …) [identifier, …]: purpose`. Parameters are `$parameter` in the
text. An identifier (label, relationship type) stands in backticks and braces, so that the file stays valid
Cypher, and is filled with a quoted name of the user's schema.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from neo4j_align import resources
from neo4j_align.errors import DatabaseError

_HEADER = re.compile(r"// (?P<name>\w+)\((?P<parameters>[^)]*)\)(?: \[(?P<identifiers>[^\]]*)\])?: (?P<purpose>.+)")
FOLDER = resources.folder("cypher")


@dataclass(frozen=True)
class Query:
    """One statement: its name, what it takes, what it is for, and its text without the header."""

    name: str
    parameters: frozenset[str]
    identifiers: frozenset[str]
    purpose: str
    text: str

    def render(self, **quoted: str) -> str:
        """Fill the identifiers with names that `schema.quote` has made safe.

        Raises:
            DatabaseError: An identifier is missing or is not declared.
        """
        if quoted.keys() != self.identifiers:
            raise DatabaseError(f"{self.name} takes the identifiers {sorted(self.identifiers)}, not {sorted(quoted)}")
        return re.sub(r"`\{(\w+)\}`", lambda match: quoted[match[1]], self.text)


@functools.cache
def load(name: str) -> Query:
    """Load `cypher/<name>.cypher`, where name is folder/file.

    Raises:
        DatabaseError: There is no such file, or its header and its text disagree.
    """
    path = FOLDER / f"{name}.cypher"
    if not path.is_file():
        raise DatabaseError(f"The query file {name}.cypher is missing. Install neo4j-align again.")
    query = parse(path.read_text(encoding="utf-8"))
    if query.name != path.stem:
        raise DatabaseError(f"{name}.cypher says in its header that it is {query.name}")
    return query


def parse(source: str) -> Query:
    """Read header and text of a query file.

    Raises:
        DatabaseError: The header is malformed, or does not declare exactly what the text uses.
    """
    first, _, text = source.partition("\n")
    header = _HEADER.fullmatch(first.strip())
    if header is None:
        raise DatabaseError(f"A query file begins with `// name(parameters): purpose`, not with: {first}")
    query = Query(
        header["name"],
        _names(header["parameters"]),
        _names(header["identifiers"] or ""),
        header["purpose"],
        text,
    )
    bare = re.sub(r"(^|\s)//.*", "", text, flags=re.MULTILINE)
    used = {
        "parameters": set(re.findall(r"\$(\w+)", bare)),
        "identifiers": set(re.findall(r"`\{(\w+)\}`", bare)),
    }
    for what, names in used.items():
        if names != (declared := getattr(query, what)):
            raise DatabaseError(f"{query.name} declares the {what} {sorted(declared)} but uses {sorted(names)}")
    return query


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
