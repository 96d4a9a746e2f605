# Two commands for everyone: `make demo` and `make test`. Both set everything up and leave .venv/bin/lgsp behind.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: help demo test explore lint format lock bench fuzz pkits tamper clean setup
.DEFAULT_GOAL := help

help:
	@echo "make setup  make .venv with the pinned dependencies and the command .venv/bin/lgsp"
	@echo "make demo   set up, then run the main job end to end on loopback"
	@echo "make test   set up, then run every test"
	@echo "make explore  the property tests with new examples, a thousand each"
	@echo "make lint   ruff and mypy --strict over code and tests"
	@echo "make bench  accept-to-receipt beside the raw primitives"
	@echo "make tamper  10,000 new ways to change a store, each of which fsck must find; SEED= repeats a run"
	@echo "make pkits  fetch NIST's collection of certification paths, and judge all of it"
	@echo "make fuzz   fuzz what reads packets, coverage-guided; FUZZ_SECONDS=600"

setup: $(STAMP)

# Wheels only and hashes checked: nothing is compiled, nothing unlisted is installed.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -c 'import ensurepip' || { echo "Python's venv is needed (Debian: python3-venv)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: setup
	$(BIN)/lgsp demo

test: setup
	$(BIN)/python -m pytest -n 2 -rfEs tests

# New examples at every run; `make test` takes the same ones each time (tests/conftest.py). Some minutes.
explore: setup
	LGSP_TEST_PROFILE=explore $(BIN)/python -m pytest -n 2 -rf -m hypothesis tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/lgsp bench

# `make test` takes 2,000 cases, the same each time. Some minutes.
tamper: setup
	$(BIN)/python -m tests.tamper --cases 10000 $(if $(SEED),--seed $(SEED))

# See docs/fuzzing.md. An environment of its own: atheris is not among the pinned dependencies.
FUZZ_SECONDS ?= 600
FUZZ         := var/fuzz

$(FUZZ)/venv/.installed: requirements.lock tests/fuzz/requirements.lock
	$(PYTHON) -m venv $(FUZZ)/venv
	$(FUZZ)/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(FUZZ)/venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r tests/fuzz/requirements.lock
	touch $@

fuzz: $(FUZZ)/venv/.installed
	$(FUZZ)/venv/bin/python -m tests.fuzz --engine atheris --seconds $(FUZZ_SECONDS) --corpus $(FUZZ)/corpus --findings $(FUZZ)/findings

# 56 MB to fetch, 126 MB unpacked, of which 7 are the collection: too much for everyone's environment. Where it lies, `make test` uses it too.
PKITS := var/pkits

$(PKITS)/.fetched: tests/pkits/requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps --upgrade --target $(PKITS) -r $<
	touch $@

pkits: setup $(PKITS)/.fetched
	$(BIN)/python -m pytest tests/signing/test_pkits.py

# For maintainers: re-resolve the pinned versions (needs `uv`). The lock names no index host.
lock:
	uv pip compile pyproject.toml --extra postgres --extra dev --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header --upgrade -q -o requirements.lock

clean:
	rm -rf $(VENV) build *.egg-info
