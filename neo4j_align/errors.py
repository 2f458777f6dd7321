"""The errors that a user can meet: one root, and every message says the remedy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class AlignError(Exception):
    """Root of all errors of this package; the command line prints its message and exits with 1."""


class ConfigError(AlignError):
    """The configuration is missing, malformed, or does not fit the database."""


class DatabaseError(AlignError):
    """Neo4j cannot be reached, refuses the credentials or a query, or lacks something needed."""


class NameTakenError(DatabaseError):
    """What was to be made has a name that something else has by now: a constraint refuses it."""


class DataError(AlignError):
    """Input files, labels or the graph itself cannot be used as they are."""


class ModelError(AlignError):
    """A model folder is missing, damaged, or was made for another configuration."""


class LeaseError(AlignError):
    """Another run writes to the database, or has taken over from this one."""


class ServerError(AlignError):
    """The embedded Neo4j could not be installed, started or stopped."""


class EngineError(AlignError):
    """Ray is missing, cannot be started or joined, differs in version or lost its workers; or a GPU is too small."""


class JudgedError(AlignError):
    """Somebody else judged a pair in the meantime."""


@contextlib.contextmanager
def gpu_memory() -> Iterator[None]:
    """Say the remedy where a GPU has too little memory for what is done.

    Raises:
        EngineError: It has; PyTorch's error is known by its name, since the command line does not import PyTorch.
    """
    try:
        yield
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":
            raise
        raise EngineError(
            "The GPU has too little memory for these graphs. With the variable CUDA_VISIBLE_DEVICES empty, the same "
            "is done on the processor."
        ) from error
