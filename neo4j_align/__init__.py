"""Find out which nodes of two knowledge graphs in Neo4j are the same thing, and keep it right."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neo4j_align.pipeline import Aligner

# Before torch loads OpenMP: threads that wait by spinning make a run ten times slower on a machine that is also busy
# with something else, the database for one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
__all__ = ["Aligner", "__version__"]


def __getattr__(name: str) -> object:
    """Import the Aligner, and with it torch, only when it is asked for (`--help` has 0.3 s)."""
    if name == "Aligner":
        from neo4j_align.pipeline import Aligner

        return Aligner
    raise AttributeError(name)
