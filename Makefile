# Operon. `make` prints the targets; every target builds .venv first where it needs it.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
# A new lock, project file or folder means a new environment; the checksum makes every other call instant.
STAMP := .venv/.installed-$(shell { cat requirements.lock pyproject.toml; pwd; } | cksum | tr -d ' ')
COMPILE := build/lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --group lock pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test lint types bench lock clean

help:  ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## Build .venv from requirements.lock (PYTHON=python3.12 picks another interpreter)

$(STAMP):
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Operon needs Python 3.11 or newer, $(PYTHON) is %d.%d. Try: make setup PYTHON=python3.11" % v[:2])'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . && touch $@

demo: setup  ## Load the sample data and serve it at http://127.0.0.1:8000
	$(BIN)/operon demo $(ARGS)

serve: setup  ## Serve the store of OPERON_HOME
	$(BIN)/operon serve $(ARGS)

test: setup  ## Run the tests (ARGS='-k liftover -n 0' narrows)
	$(BIN)/python -m pytest $(ARGS)

lint: setup  ## Check style, formatting and the direction of imports
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: setup  ## Check types (mypy, strict)
	$(BIN)/mypy

bench: setup  ## Run every benchmark on little data; results go to bench/RESULTS.md (ARGS='--size m')
	$(BIN)/python -m bench all --size s $(ARGS)

lock:  ## Write both lock files anew (ARGS=--upgrade takes the newest releases)
	$(PYTHON) -m venv build/lock && build/lock/bin/python -m pip install -q uv
	$(COMPILE) --all-extras -o requirements.lock $(ARGS)
	$(COMPILE) --extra postgresql -c requirements.lock -o requirements-runtime.lock $(ARGS)

clean:  ## Remove the environment and every cache, but not OPERON_HOME
	rm -rf .venv build dist htmlcov .coverage .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find app ingest migrations tests bench -name __pycache__ -type d -prune -exec rm -rf {} +
