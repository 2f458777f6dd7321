"""The errors that a user can meet: one root, and every message says the remedy."""


class AlignError(Exception):
    """Root of all errors of this package; the command line prints its message and exits with 1."""


class ConfigError(AlignError):
    """The configuration is missing, malformed, or does not fit the database."""


class DatabaseError(AlignError):
    """Neo4j cannot be reached, refuses the credentials or a query, or lacks something needed."""


class DataError(AlignError):
    """Input files, labels or the graph itself cannot be used as they are."""


class ModelError(AlignError):
    """A model folder is missing, damaged, or was made for another configuration."""


class LeaseError(AlignError):
    """Another run writes to the database, or has taken over from this one."""


class ServerError(AlignError):
    """The embedded Neo4j could not be installed, started or stopped."""


class EngineError(AlignError):
    """Ray is missing, cannot be started or joined, has another version of this package, or lost its workers."""


class JudgedError(AlignError):
    """Somebody else judged a pair in the meantime."""
