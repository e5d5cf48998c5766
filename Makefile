# Everything happens in a virtual environment of its own, made on first use from pyproject.toml.
# `make help` lists the targets.

PYTHON ?= python3
WORKERS ?= 2
SECONDS ?= 60
VENV := .venv-test
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TRACKERS := $(VENV)/.installed-trackers
# Elsewhere than on the processor's own index, PyTorch is gigabytes:
# make test-torch TORCH="torch --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
# A caller's environment must not decide what is tested.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV MAKEFLAGS

.PHONY: help venv lint check test test-all test-torch bench bench-speed bench-observed bench-recreate fuzz demo clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) \
	  | while IFS='|' read -r name text; do printf '  %-16s%s\n' "$$name" "$$text"; done

venv: $(STAMP)  ## make .venv-test; made again when pyproject.toml changes

# `--clear`: what an earlier pyproject.toml asked for does not stay behind.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "make: Python 3.10 or newer is needed, and '$(PYTHON)' is none: make PYTHON=python3.12 ..." >&2; \
	  exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "make: '$(PYTHON)' cannot make virtual environments (Debian: apt install python3-venv)" >&2; \
	  exit 1; }
	@echo "Installing into $(VENV) (once)"
	@# Old releases of pip do not know --group (new in 25.1).
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  --editable '.[dvc,snakemake]' --group test --group lint
	@touch $@

# The trackers' packages, for `make test` but not for `make check`: with uv, since pip takes minutes.
$(TRACKERS): $(STAMP)
	@echo "Installing the trackers' packages (once)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --group trackers
	@touch $@

lint: $(STAMP)  ## style, types, layering
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint  ## quick: lint, and the tests that need no engine
	@$(BIN)/python -m pytest -q -m "not e2e and not long" -n $(WORKERS) </dev/null

test: $(STAMP) $(TRACKERS)  ## every test but the long ones
	@$(BIN)/python -m pytest -m "not long" -n $(WORKERS) </dev/null

test-torch: $(STAMP) $(TRACKERS)  ## the tests that need PyTorch, which is installed if it is not there
	@$(BIN)/python -c "import torch" 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(BIN)/python -m pytest tests/seeds tests/notebook tests/receipts -n $(WORKERS) </dev/null

test-all: $(STAMP) $(TRACKERS)  ## every test, minutes
	@$(BIN)/python -m pytest -n $(WORKERS) </dev/null

bench-speed: $(STAMP)  ## what it costs, beside its peers: docs/speed.md (PyTorch's CPU build, 20 minutes)
	@$(BIN)/python -m benchmarks.speed --markdown docs/speed.md </dev/null

bench: bench-speed  ## bench-speed, the truth table of environment changes, under DVC and Snakemake; clones that share (long)
	@$(BIN)/python -m benchmarks.invalidation --workers $(WORKERS) \
	  --markdown docs/invalidation.md </dev/null
	@$(BIN)/python -m benchmarks.invalidation --engine snakemake --workers $(WORKERS) \
	  --markdown docs/invalidation-snakemake.md </dev/null
	@$(BIN)/python -m benchmarks.sharing --steps 200 </dev/null

bench-observed: $(STAMP)  ## observed views against sys.modules, 80 scripts: docs/observed.md
	@$(BIN)/python -m benchmarks.observed --markdown docs/observed.md

bench-recreate: $(STAMP)  ## capture, recreate, compare real environments: minutes, network
	@$(BIN)/python -m benchmarks.recreate

fuzz: $(STAMP)  ## atheris on every parser, SECONDS each (60): docs/fuzzing.md (Linux, x86-64)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --group fuzz
	@$(BIN)/python -m tests.fuzz $(SECONDS) docs/fuzzing.md

demo:  ## DVC and Snakemake: packages that change and come back (KEEP=1 keeps it)
	@PYTHON="$(PYTHON)" bash examples/demo.sh
	@PYTHON="$(PYTHON)" bash examples/demo_snakemake.sh

clean:  ## remove what the targets made
	@rm -rf $(VENV) build dist .coverage .coverage.* htmlcov \
	  .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
