"""Whether a sync has anything to do, told before the packages are loaded that it would take: they take seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from neo4j_align.config import Config
from neo4j_align.store import changes
from neo4j_align.store.database import Database
from neo4j_align.store.lease import Lease

ABOUT = "model.json"  # in the folder of a model


def untouched(database: Database, config: Config, folder: Path) -> bool:
    """Tell whether nothing changed since the last run by the model of a folder; if so, that is noted, and all is done.

    Where this alone does not tell, as with a scan or another model, it says no.

    Raises:
        LeaseError: Another run is writing.
        ConfigError, DatabaseError: The database lacks what the feed needs.
    """
    if config.sync.feed == "scan" or (model := _id(folder)) is None:
        return False
    with Lease(database, "writer", "sync") as lease:
        before = changes.remembered(database, config)
        if before.get("model") != model:
            return False
        seen, standing = changes.look(database, config, before), changes.standing(database, config)
        if seen.entities != 0 or not same(config, before, standing):
            return False
        changes.go_on(database, lease.token, before, seen)
    return True


def same(config: Config, before: dict[str, Any], standing: dict[str, Any]) -> bool:
    """Tell whether configuration, links and verdicts are as the last run left them.

    Args:
        before: what `changes.remembered` returned; standing: what `changes.standing` did.
    """
    return before.get("config_hash") == config.digest() and standing.items() <= before.items()


def _id(folder: Path) -> str | None:
    """Return the identity that a model was saved with; None where whoever loads it has to say what is wrong."""
    try:
        document = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document.get("id") if isinstance(document, dict) else None
