"""The settings of docker/compose.yml, asked of a server of the same version."""

from __future__ import annotations

import re

from neo4j_align.store.database import Database
from tests.unit.test_docker import SERVICES

# Read by the image's entry point itself; see its list `not_configs`.
CONTROLS = {"NEO4J_AUTH_PATH"}


def test_each_setting_is_known_to_the_server(database: Database) -> None:
    known = {row["name"] for row in database.read("SHOW SETTINGS YIELD name")}
    given = set(SERVICES["neo4j"]["environment"]) - CONTROLS
    settings = {re.sub("_+", lambda m: "." if m[0] == "_" else "_", name.removeprefix("NEO4J_")) for name in given}
    assert {name for name in settings if not name.startswith("apoc.")} <= known
    assert len(settings) > 3
