# Everything from a fresh machine with python3 (3.11 or newer) and make. `make` alone lists the targets.
PYTHON ?= python3
BIN := .venv/bin
ARGUMENTS ?=

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow lint docs clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

install: .venv/installed ## set up .venv

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "deepinnovation needs Python 3.11 or newer; name one with PYTHON=..."; exit 2; }
	@echo "Setting up .venv (a few minutes the first time)..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[development]'
	@touch $@

# Spark is 500 MB: who only runs the project on one machine does without it.
.venv/installed-spark: .venv/installed
	@echo "Adding Spark to .venv (a minute)..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[development,spark]'
	@touch $@

run: .venv/installed ## build the warehouse and the published files from the bundled sample
	@$(BIN)/deepinnovation build $(ARGUMENTS)

test: .venv/installed-spark ## lint, then every test but the slow ones
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGUMENTS)

test-slow: .venv/installed-spark ## tests on real data, benchmarks and other long ones
	@$(BIN)/python -m pytest -m slow $(ARGUMENTS)

lint: .venv/installed ## ruff and sqlfluff
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@# Python warns of a semaphore that dbt's templater leaves to it.
	@PYTHONWARNINGS=ignore:resource_tracker DEEPINNOVATION_WAREHOUSE=:memory: $(BIN)/sqlfluff lint --processes 2 --disable-progress-bar models tests/warehouse

docs: .venv/installed ## one HTML page that describes every table: target/static_index.html
	@$(BIN)/dbt docs generate --static --quiet --profiles-dir . && echo "Open target/static_index.html in a browser."

clean: ## remove what can be made again, but no warehouse and no published file
	@rm -rf build target logs .pytest_cache .ruff_cache
