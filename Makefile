# make demo — everything set up, an order triaged before your eyes.   make test — the whole suite.
# A fresh clone needs Python 3.11+, make and git. DATABASE_URL and REDIS_URL, when set, name the servers to use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CLIENT := .venv-client

.DEFAULT_GOAL := help
.PHONY: help demo up down test conformance fuzz chaos browser check lint format lock bench client-test clean

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "FlowMaestro needs Python 3.11 or newer; call make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## run an example workflow to the end, live in this terminal
	@$(BIN)/flowmaestro demo

up: $(READY)  ## serve until Ctrl-C; prints the URL, the admin login and an API key
	@$(BIN)/flowmaestro up

down: $(READY)  ## stop what `make demo` left serving
	@$(BIN)/flowmaestro down

test: $(READY)  ## the whole suite: make test PROCESSES=2
	@$(BIN)/pytest -q -n $(or $(PROCESSES),2) --dist loadfile

conformance: $(READY)  ## whole workflows against the suite in ../shared/conformance, where that is
	@$(BIN)/pytest -q tests/conformance

fuzz: $(READY)  ## random workflows against the reference there: make fuzz SEED=0 N=10000 REAL=50
	@FUZZ_SEED=$(or $(SEED),0) FUZZ_N=$(or $(N),10000) FUZZ_REAL=$(or $(REAL),50) $(BIN)/pytest -q tests/conformance/test_fuzz.py

chaos: $(READY)  ## runs on servers and workers of their own that are killed, stopped and emptied: make chaos SEED=0 RUNS=240
	@$(BIN)/python -m tests.chaos $(or $(SEED),0) $(or $(RUNS),240)

browser: $(READY)  ## the pages in a real Chromium: make browser SHOTS=folder, for pictures of every state
	@FLOWMAESTRO_BROWSER=all SHOTS=$(SHOTS) $(BIN)/pytest -q tests/browser

check: lint test  ## everything CI asks: formatting, lint, types, import contracts, migrations, tests

lint: $(READY)
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py check

format: $(READY)  ## put the formatting right
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix .

bench: $(READY)  ## the README's figures, each beside the raw cost of the same moment
	@$(BIN)/python -m benchmarks

client-test: $(READY)  ## the published client, unmodified, against a running server
	@test -x $(CLIENT)/bin/python || $(PYTHON) -m venv $(CLIENT)
	@$(BIN)/uv pip install -q --python $(CLIENT)/bin/python --require-hashes -r requirements/client.txt
	@$(BIN)/python -m tests.client $(CLIENT)/bin/python

LOCK := $(BIN)/uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-header --no-annotate
lock: $(READY)  ## compile requirements/*.txt from pyproject.toml
	@$(LOCK) pyproject.toml -o requirements/base.txt
	@$(LOCK) pyproject.toml --extra dev -o requirements/dev.txt
	@awk '/^uv==/ {on=1; print; next} on && /^    --hash/ {print; next} {on=0}' requirements/dev.txt > requirements/uv.txt
	@echo 'flowmaestro==0.1.0' | $(LOCK) - -o requirements/client.txt

clean:
	@rm -rf $(VENV) $(CLIENT) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info static
