# Every word of the project: `make` alone lists them, and CI calls the same ones.
# Nothing is written outside this checkout: virtualenv, caches and data lie under it.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_READY := $(VENV)/.ready-docs
RELEASER := .cache/release
SHIPPED := .cache/shipped
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet --no-input
COMPILE := uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate

CODE := $(wildcard src verification tests tools benchmarks)
# How many processes test at once; empty or 0 is one, in this process.
WORKERS ?= 2
# Handed to the command of the word: make demo ARGS=--json
ARGS ?=

# Recorded evenings and requests, for `make recorded`.
export ARBEES_DATA_DIR ?= ../shared/data

.PHONY: help
help: ## List these words
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)$$/\1\t\2/p' $(MAKEFILE_LIST) \
		| while IFS=$$'\t' read -r word text; do printf '  make %-11s %s\n' "$$word" "$$text"; done

.PHONY: setup
setup: $(READY) ## Make .venv with exactly the releases that requirements.lock pins
	@echo "Ready: $$($(BIN)/python --version) in $(VENV)"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else \
		f"Expected Python 3.11 or newer, was {v.major}.{v.minor}. Try: make setup PYTHON=python3.11")'
	@echo "Installing into $(VENV) (about half a minute)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: demo
demo: $(READY) ## An evening of basketball: fills, denials, a halt, a crash, the proof
	@$(BIN)/arbees demo $(ARGS)

.PHONY: demo-kalshi
demo-kalshi: $(READY) ## Live trading, rehearsed: the gateway at a simulated Kalshi
	@$(BIN)/python -m verification.live.demo

.PHONY: run
run: $(READY) ## Run the gateway on paper, with its data and audit log in var/
	@mkdir -p var
	@if [ -z "$${AUDIT_LOG_PATH:-}" ] && ! grep -qs "^AUDIT_LOG_PATH=" .env; then \
		export AUDIT_LOG_PATH=var/execution_audit.jsonl; \
	fi; \
	exec $(BIN)/arbees run $(ARGS)

.PHONY: test
test: check ## Check, then run every test; nothing may be skipped
	@$(BIN)/python -m pytest $(if $(filter-out 0,$(WORKERS)),-n $(WORKERS) --dist worksteal) $(ARGS)

.PHONY: check
check: $(READY) ## Lint, formatting, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports --cache-dir .cache/import_linter

.PHONY: bench
bench: $(READY) ## Measure what it costs against the design's targets
	@$(BIN)/python -m benchmarks.run $(ARGS)

.PHONY: docs
docs: $(DOCS_READY) ## Build the documentation into docs/_build; a warning is an error
	@$(BIN)/python -m sphinx -W --keep-going -q -E -a -b html docs docs/_build $(ARGS)
	@echo "Open docs/_build/index.html"

$(DOCS_READY): $(READY) requirements-docs.lock
	@$(PIP) install --require-hashes --requirement requirements-docs.lock
	@touch $@

.PHONY: dist
dist: $(READY) ## Build wheel and sdist into dist/, the same bytes from the same sources
	@rm -rf dist && mkdir -p .cache
	@SOURCE_DATE_EPOCH="$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 1580601600)}" \
		$(BIN)/python -m hatchling build --directory dist >.cache/dist.log 2>&1 \
		|| { cat .cache/dist.log; exit 1; }
	@echo "Built" dist/*

.PHONY: release
release: dist $(RELEASER)/.ready ## The same, with a list of its parts (CycloneDX) and checksums
	@rm -rf $(SHIPPED) && $(PYTHON) -m venv --without-pip $(SHIPPED)
	@$(PIP) --python $(SHIPPED) install --require-hashes --requirement requirements-run.lock
	@$(PIP) --python $(SHIPPED) install --no-deps --no-index dist/*.whl
	@$(SHIPPED)/bin/arbees --version
	@$(RELEASER)/bin/cyclonedx-py environment $(SHIPPED)/bin/python --pyproject pyproject.toml \
		--output-reproducible --spec-version 1.6 --validate --output-file dist/arbees.cdx.json
	@$(BIN)/python -m tools.release dist

$(RELEASER)/.ready: requirements-release.lock
	@$(PYTHON) -m venv $(RELEASER)
	@$(RELEASER)/bin/python -m pip --disable-pip-version-check --quiet --quiet --no-input install \
		--require-hashes --requirement requirements-release.lock
	@touch $@

.PHONY: mutants
mutants: $(READY) ## Change the deciding code in a thousand ways; the tests must notice
	@$(BIN)/python -m tools.mutants $(ARGS)

.PHONY: torture
torture: $(READY) ## Kill the gateway at random moments, again and again, and count
	@$(BIN)/python -m verification.torture $(ARGS)

.PHONY: fuzz
fuzz: $(READY) ## Ask the API what its own document allows and forbids, 5,000 times
	@$(BIN)/python -m tools.fuzz $(or $(ARGS),--cases 5000)

.PHONY: fuzz-kalshi
fuzz-kalshi: $(READY) ## A million mutated answers and messages through Kalshi's readers and a gateway
	@$(BIN)/python -m tools.fuzz_kalshi $(ARGS)

.PHONY: hostile
hostile: $(READY) ## Send 100,000 bad requests, slow and half-closed ones too; nothing may leak
	@$(BIN)/python -m tools.hostile $(or $(ARGS),--requests 100000)

.PHONY: load
load: $(READY) ## 16 connections and 8 followers of the events for a minute, every word compared
	@$(BIN)/python -m verification.load $(ARGS)

.PHONY: faults
faults: $(READY) ## Every fault of Kalshi x every call, and of what is read; fifteen minutes
	@$(BIN)/python -m verification.live.matrix $(ARGS)

.PHONY: browser
browser: $(READY) ## The control room in a real browser (needs Chromium): every action, screenshots
	@$(BIN)/python -m verification.browser $(ARGS)

.PHONY: mechanisms
mechanisms: $(READY) ## Take out what belief rests on, one at a time; `make faults` must notice
	@$(BIN)/python -m tools.mechanisms $(ARGS)

.PHONY: replay
replay: $(READY) ## Replay a million records; ask with halved limits, and recompute by force
	@$(BIN)/python -m tools.replaying $(ARGS)

.PHONY: recorded
recorded: $(READY) ## Play the recorded evenings in ARBEES_DATA_DIR, on paper and live, and compare
	@$(BIN)/python tools/recorded.py $(ARGS)
	@$(BIN)/python tools/recorded_live.py

.PHONY: conform
conform: $(READY) ## Compare the simulated Kalshi with Kalshi's documents, records and clients
	@$(BIN)/python -m tools.conform $(ARGS)

.PHONY: lock
lock: ## Pin the newest releases anew (needs uv)
	@$(COMPILE) --group dev pyproject.toml --output-file requirements.lock
	@$(COMPILE) --constraint requirements.lock pyproject.toml --output-file requirements-run.lock
	@$(COMPILE) --constraint requirements.lock --group docs pyproject.toml \
		--output-file requirements-docs.lock
	@$(COMPILE) --constraint requirements.lock --group release \
		--output-file requirements-release.lock
