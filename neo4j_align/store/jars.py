"""Neo4j's jars, fetched once into the user's cache, without Maven and without Java.

`jars.lock` beside this file pins every jar with its SHA-256, so that everyone gets the same server and a
first start need not read four hundred POMs (80 s) to find out which jars it is made of.
`python -m neo4j_align.store.jars` resolves the versions below anew and rewrites it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neo4j_align.errors import ServerError

if TYPE_CHECKING:
    from jgo.maven import Artifact, MavenContext

Report = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much

LOCK = Path(__file__).with_name("jars.lock")
SERVER = ("org.neo4j.app:neo4j-server:5.26.28", "org.neo4j:neo4j:5.26.28")
APOC = (
    "org.neo4j.procedure:apoc-core:5.26.19",
    "org.neo4j.procedure:apoc-common:5.26.19",
    "org.neo4j.procedure:apoc-extended:5.26.0",
    "com.jayway.jsonpath:json-path:2.9.0",
)
PLUGIN_GROUP = "org.neo4j.procedure"
UNWANTED = {"slf4j-jdk14"}  # a second logging backend, which would contend with the server's own
PARALLEL = 8
ATTEMPTS = 3
TIMEOUT = 30  # seconds without a byte


@dataclass(frozen=True)
class Jar:
    """One line of the lock: a Maven coordinate and the SHA-256 of its file."""

    coordinate: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where the jar lies in the folder of jars: plugins apart from the class path."""
        group, artifact, version, *classifier = self.coordinate.split(":")
        name = "-".join([artifact, version, *classifier])
        return Path("plugins" if group == PLUGIN_GROUP else "lib") / f"{name}.jar"


def jars_folder(cache: Path) -> Path:
    """Return the folder of this release's jars; it is named by the lock, so that releases do not mix."""
    return cache / f"neo4j-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def ensure_jars(cache: Path, report: Report) -> Path:
    """Fetch what is missing of the jars into `cache`, and return their folder (`lib`, `plugins`).

    A jar appears under its name only once it is whole and has its SHA-256, so a fetch that was killed
    goes on where it stopped. Two processes do not fetch at once: the second waits for the first.

    Raises:
        ServerError: The `server` extra is not installed, or a jar cannot be fetched.
    """
    folder = jars_folder(cache)
    jars = _read_lock()
    if not _missing(folder, jars):
        return folder
    try:
        from filelock import FileLock
        from jgo.config import GlobalSettings
    except ImportError as error:
        raise ServerError(
            f"The embedded Neo4j needs the package {error.name}. Run: pip install 'neo4j-align[server]'"
        ) from error
    # jgo's own configuration file is where a user without access to Maven Central names a mirror
    repositories = GlobalSettings.load().repositories or None
    for name in ("lib", "plugins"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "fetch.lock"):
        _fetch_all(jars, folder, repositories, report)
    return folder


def _read_lock() -> list[Jar]:
    lines = (line.split() for line in LOCK.read_text(encoding="utf-8").splitlines())
    return [Jar(coordinate, sha256) for sha256, coordinate in lines]


def _missing(folder: Path, jars: list[Jar]) -> list[Jar]:
    return [jar for jar in jars if not (folder / jar.path).exists()]


def _fetch_all(jars: list[Jar], folder: Path, repositories: dict[str, str] | None, report: Report) -> None:
    partial = folder / "partial"
    shutil.rmtree(partial, ignore_errors=True)  # of a fetch that was killed
    partial.mkdir()
    missing = _missing(folder, jars)
    done = len(jars) - len(missing)
    with ThreadPoolExecutor(PARALLEL) as pool:
        futures = [pool.submit(_fetch, jar, folder / jar.path, partial, repositories) for jar in missing]
        try:
            for future in as_completed(futures):
                future.result()
                done += 1
                report("Fetching Neo4j", done, len(jars))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    shutil.rmtree(partial, ignore_errors=True)


def _fetch(jar: Jar, target: Path, partial: Path, repositories: dict[str, str] | None) -> None:
    problem = ""
    for _ in range(ATTEMPTS):
        # A folder for each attempt: jgo takes whatever lies in its cache for whole
        with tempfile.TemporaryDirectory(dir=partial) as folder:
            try:
                path = _download(jar, Path(folder), repositories)
            except (OSError, RuntimeError) as error:  # requests' errors are OSErrors, jgo's are RuntimeErrors
                problem = str(error)
                continue
            if _sha256(path) == jar.sha256:
                path.replace(target)
                return
            problem = "its SHA-256 is not the expected one"
    raise ServerError(
        f"Cannot fetch {jar.coordinate}: {problem}. Check the network and the free space in {target.parent}; "
        "where Maven Central is not reachable, name a mirror under [repositories] in ~/.config/jgo.conf. "
        "Run it again and it goes on where it stopped."
    )


def _download(jar: Jar, cache: Path, repositories: dict[str, str] | None) -> Path:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=cache, remote_repos=repositories, timeout=TIMEOUT)
    group, artifact, version, *classifier = jar.coordinate.split(":")
    path: Path = context.project(group, artifact).at_version(version).artifact(*classifier).resolve()
    return path


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _resolve(context: MavenContext) -> list[Jar]:
    """Ask jgo which jars the server and APOC are made of; where both want one, the server's version wins."""
    chosen: dict[tuple[str, str, str], Artifact] = {}
    for coordinates in (SERVER, APOC):
        # "!": as Maven would, without the coordinates' own dependencyManagement for the others
        wanted = [context.create_dependency(f"{coordinate}!") for coordinate in coordinates]
        for found in context.resolver.resolve(wanted):
            for artifact in (dependency.artifact for dependency in found):
                chosen.setdefault((artifact.groupId, artifact.artifactId, artifact.classifier), artifact)
    return [
        Jar(":".join(filter(None, (group, name, artifact.version, classifier))), _sha256(artifact.resolve()))
        for (group, name, classifier), artifact in sorted(chosen.items())
        if name not in UNWANTED
    ]


def _write_lock() -> None:
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as folder:
        jars = _resolve(MavenContext(repo_cache=Path(folder), timeout=TIMEOUT))
    LOCK.write_text("".join(f"{jar.sha256} {jar.coordinate}\n" for jar in jars), encoding="utf-8")


if __name__ == "__main__":
    _write_lock()
