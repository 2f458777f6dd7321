"""Find out which nodes of two knowledge graphs in Neo4j are the same thing, and keep it right."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neo4j_align.pipeline import Aligner

__version__ = "0.1.0"
__all__ = ["Aligner", "__version__"]


def __getattr__(name: str) -> object:
    """Import the Aligner, and with it torch, only when it is asked for (`--help` has 0.3 s)."""
    if name == "Aligner":
        from neo4j_align.pipeline import Aligner

        return Aligner
    raise AttributeError(name)
