# What people do daily. `make run` and `make test` set up whatever is missing first.

VENV ?= .venv
BIN := $(VENV)/bin
# The first Python of a supported version; override with `make run PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo "$$p" && break; done)

# Each of the commands starts many processes: what one of them compiles, the others read.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run labs check test lab notebooks bench lint format lock clean python java

help: ## list these commands
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## install what is missing into .venv

run: java $(VENV)/.installed ## fetch MovieLens 100K, run all lessons, write a report
	@$(BIN)/recsys run

labs: java $(VENV)/.installed ## run all labs, the evidence behind the lessons
	@$(BIN)/recsys run --labs

# A worker a core and one more (see tests/conftest.py); a test file, or a group within one, stays on
# one of them.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder

check: lint ## lint, and all tests that need neither notebooks nor Spark nor much time
	$(PYTEST) -m "not notebook and not spark and not slow"

test: java $(VENV)/.installed ## run all tests, notebooks included
	$(PYTEST)

lab: $(VENV)/.installed ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

notebooks: java $(VENV)/.installed ## regenerate the committed outputs of the notebooks
	$(BIN)/python -m recsys_lib.experiments.regenerate

bench: java $(VENV)/.installed ## run the benchmarks
	$(BIN)/python -m pytest tests/benchmarks --benchmark-only

lint: $(VENV)/.installed ## check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed ## put code and notebooks in form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/.installed ## pin the newest allowed versions in requirements.lock
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --upgrade \
		--quiet --output-file requirements.lock --custom-compile-command "make lock"

clean: ## remove the environment, data and outputs
	rm -rf $(VENV) *.egg-info
	find data outputs -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found on PATH." \
		"Install one, or name it: make run PYTHON=/path/to/python" >&2; exit 1; }

# Spark needs it, and so do the notebooks that teach Spark; the rest of the library does not.
java: python
	@$(PYTHON) -m recsys_lib.spark

# The stamp is written last, so that an interrupted installation is taken up again.
$(VENV)/.installed: requirements.lock pyproject.toml | python
	@echo "Setting up $(VENV) from requirements.lock (once, a few minutes)..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps -e .
	touch $@
