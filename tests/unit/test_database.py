"""The gate's errors, as far as they need no database."""

from __future__ import annotations

import pytest

from neo4j_align.store.database import _translated


def test_what_the_driver_makes_of_an_interruption_is_one() -> None:
    """Interrupted as it reads, the driver cannot close its session: its BufferError would hide Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), _translated():
        raise BufferError("Existing exports of data: object cannot be re-sized")
