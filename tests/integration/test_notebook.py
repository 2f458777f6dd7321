"""The notebook of examples/, executed from its first cell to its last."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "neighbourhoods.ipynb"


@pytest.mark.usefixtures("run")  # an empty folder and an emptied database, named by the environment
def test_the_notebook_shows_both_neighbourhoods() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not [cell for cell in notebook.cells if cell.get("outputs")], "commit it without outputs"
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    shown = [output["data"] for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert "confidence" in shown[0]["text/html"]
    assert all(name in shown[-1]["text/html"] for name in ("Aditya Raj Kapoor", "Isi Life Mein...!", "SAME_AS"))
