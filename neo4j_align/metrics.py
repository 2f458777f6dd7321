"""Counters of scheduled syncs for Prometheus, on a loopback port. Takes the extra `metrics`."""

from __future__ import annotations

import time

from neo4j_align.errors import ConfigError
from neo4j_align.schedule import Outcome

HOST = "127.0.0.1"
_COUNTED = {
    "created": "links created",
    "updated": "links updated",
    "retired": "links retired",
    "candidates": "pairs scored",
    "changed_entities": "entities that had changed",
}


class Metrics:
    """Serves `http://127.0.0.1:<port>/metrics` until the process ends.

    Raises:
        ConfigError: The extra is not installed, or the port is taken.
    """

    def __init__(self, port: int) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
        except ImportError as error:
            raise ConfigError("Metrics take the extra: pip install 'neo4j-align[metrics]'") from error
        registry = CollectorRegistry()
        self._succeeded_at = time.monotonic()  # a clock that is set must not hide a lag
        self._runs = Counter("neo4j_align_sync_runs", "syncs by outcome", ["outcome"], registry=registry)
        self._seconds = Counter("neo4j_align_sync_seconds", "seconds spent in syncs", registry=registry)
        self._counts = {
            name: Counter(f"neo4j_align_{name}", what, registry=registry) for name, what in _COUNTED.items()
        }
        self._success = Gauge(
            "neo4j_align_last_success_timestamp_seconds", "when a sync last succeeded", registry=registry
        )
        lag = Gauge("neo4j_align_lag_seconds", "seconds since a sync last succeeded, or the start", registry=registry)
        lag.set_function(lambda: time.monotonic() - self._succeeded_at)
        try:
            self._server, self._thread = start_http_server(port, addr=HOST, registry=registry)
        except OSError as error:
            raise ConfigError(f"Port {port} cannot be served on {HOST}: {error.strerror}. Choose another.") from error

    @property
    def port(self) -> int:
        """The port that is served, also where 0 was asked for."""
        return int(self._server.server_port)

    def __call__(self, outcome: Outcome) -> None:
        """Count how a sync ended."""
        self._runs.labels(outcome=outcome.outcome).inc()
        self._seconds.inc(outcome.seconds)
        for name, count in outcome.counts.items():
            if name in self._counts:
                self._counts[name].inc(count)
        if outcome.outcome == "done":
            self._succeeded_at = time.monotonic()
            self._success.set_to_current_time()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
