# Two commands are enough: `make run` and `make test`. Everything they need lands in .venv; nothing is global.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv
COMPILE := $(UV) pip compile -q --generate-hashes --universal --python-version 3.11 \
	--no-annotate --no-header --no-emit-index-url
DATA ?=
ARGS ?=

# What Python compiled is kept, here and in the venv: a run of the tests starts some 200 processes.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-spark test-long check check-style check-floors check-types bench lock clean wheel needs-python needs-debian

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

run: $(VENV)/.run ## Start Mickle on an embedded SQLite (DEMO=1 for a filled one with play money; ARGS="--port 8080")
	@$(BIN)/mickle run $(if $(DATA),--data "$(DATA)") $(if $(DEMO),--demo) $(ARGS)

test: $(VENV)/.dev ## Check, then run every test on SQLite and on PostgreSQL, with a real Chromium and a real Firefox
	@$(MAKE) --no-print-directory -j4 -O check needs-debian $(VENV)/.collected
	@tools/on-both-databases $(BIN)/pytest $(ARGS)

test-spark: $(VENV)/.spark needs-debian ## Settle on a real cluster of Spark, from both databases; needs Java and 500 MB more
	@command -v java >/dev/null || tools/needs-debian openjdk-17-jre-headless
	@$(BIN)/pytest -n 2 --dist loadfile tests/spark $(ARGS)

LONG := tests/model tests/simulation tests/lib/test_urls_fuzz.py tests/postmaster tests/seeded \
	tests/crash tests/bench tests/claims tests/concurrency tests/discovery tests/notices \
	tests/settlement/test_property.py tests/web --long
test-long: $(VENV)/.dev needs-debian ## The long run: a million steps of the model, a million drawn addresses, a thousand drawn years, 200 kills of clicks and 1,000 of settlements on each database, 300 of PostgreSQL, a million random splits, ten minutes of everything at once in either mode, every death, planted bug and benchmark, and what takes turns between the databases
	@$(BIN)/pytest -n 2 $(LONG) $(ARGS)
	@$(BIN)/pytest -n 2 $(LONG) --database postgresql $(ARGS)

check: check-style check-floors check-types ## Format, lint, types, floors of the house

check-style: $(VENV)/.dev
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q . && echo "ruff: in order"
	@$(BIN)/python tools/house.py

check-floors: $(VENV)/.dev
	@$(BIN)/lint-imports >$(VENV)/floors.txt || { cat $(VENV)/floors.txt; exit 1; }
	@echo "floors: in order"

check-types: $(VENV)/.dev
	@$(BIN)/mypy

bench: $(VENV)/.dev ## Measure counts, nods, live pages, month end, start; ratios in one run (ARGS="--quick", "--long")
	@$(BIN)/python -m bench $(ARGS)

wheel: $(VENV)/.dev ## Build dist/*.whl
	@$(BIN)/python -m build --wheel --no-isolation -o dist . >/dev/null && ls dist/*.whl

lock: $(VENV)/.dev ## Write the lock files anew from pyproject.toml
	@printf 'uv\nhatchling\neditables\n' | $(COMPILE) - -o requirements/tools.txt
	@$(COMPILE) pyproject.toml -o requirements/run.txt
	@$(COMPILE) pyproject.toml --extra spark -o requirements/spark.txt
	@$(COMPILE) pyproject.toml --group dev --extra duckdb -o requirements/dev.txt

clean: ## Remove what make made (never your data)
	@rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find mickle tests bench tools -name __pycache__ -type d -prune -exec rm -rf {} +

# The tools that install and build come first, by hash like everything else.
$(VENV)/.uv: requirements/tools.txt
	@tools/bootstrap "$(PYTHON)" "$(VENV)"
	@touch $@

$(VENV)/.run: $(VENV)/.uv requirements/run.txt pyproject.toml
	@test -e $(VENV)/.dev || $(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements/run.txt
	@$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.spark: $(VENV)/.dev requirements/spark.txt
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r requirements/spark.txt
	@touch $@

# Five processes would each compile all that is new; what is wrong with it the run itself says.
$(VENV)/.collected: $(VENV)/.dev
	@$(BIN)/pytest --collect-only -qq >/dev/null 2>&1 || true
	@touch $@

needs-debian: $(VENV)/.dev
	@tools/needs-debian
