# Everything a fresh machine needs is Python 3.10 to 3.13 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test docs lint lock clean

demo: $(VENV)/.installed  ## run the main job on the example, on an embedded Neo4j
	$(BIN)/neo4j-align demo

# Two processes, each with one thread and a Neo4j of its own; one where a server is named, which tests empty.
test: lint  ## pass the tests
	OMP_NUM_THREADS=1 $(BIN)/pytest $(if $(NEO4J_ALIGN_TEST_URI),,--numprocesses 2 --dist loadfile)

docs: $(VENV)/.installed  ## write the reference, build the documentation into site/
	$(BIN)/python -m tests.docs.reference
	$(BIN)/zensical build --strict

lint: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# uv installs torch and its CUDA libraries in seconds once they are in its cache; pip takes minutes. Unlike pip, it
# compiles no bytecode by itself: where Python may write none later, each command would take seconds to start.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --editable '.[server,rust,dev]'
	touch $@

lock:  ## take the newest versions of all packages
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.10 --all-extras \
	  --no-header --no-annotate --no-emit-index-url --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
