# Two commands matter to a newcomer: `make demo` and `make test`. Both set up what they need.
SHELL := /bin/bash
PY    := .venv/bin/python
ARGS  ?=
export CARGO_TARGET_DIR ?= $(CURDIR)/target

.DEFAULT_GOAL := help
.PHONY: help demo test setup build lint format scenarios torture bench wheel lock clean

help: ## print each target's purpose
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

demo: build ## a living contact centre on this machine; ARGS="--for 60" ends by itself
	@$(PY) -m engine demo $(ARGS)

test: build ## every check there is; PAIDUI_INSTALL=1 brings the browser, STRICT=1 turns a skip into a failure
	@$(PY) tools/check.py $(ARGS)

setup: ## virtual environment and locked dependencies
	@python3 tools/setup.py environment

build: ## the core (release) and the console, where sources changed
	@python3 tools/setup.py build

lint: build ## formatting, types, import contracts, clippy
	@$(PY) tools/check.py --only lint

format: setup ## rewrite Python and Rust sources in the house format
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix . && cargo fmt

scenarios: build ## rewrite the expectations of tests/scenarios; commit a diff only when it is understood
	@$(PY) -m tests.rewrite_scenarios

torture: build ## the long proofs: ten million commands, a million of them beside the oracle, every planted bug, four hundred kills, a thousand power cuts, a minute of overload, ten thousand idle sockets
	@$(PY) tools/check.py --only torture

bench: build ## full contact lifecycles over sockets with the journal on, and the core alone
	@$(PY) tools/bench.py $(ARGS)

wheel: build ## one abi3 wheel with the console inside, in dist/
	@$(PY) tools/setup.py wheel

lock: setup ## resolve the dependencies anew, hashes only
	@$(PY) tools/setup.py lock

clean: ## remove what was built; data folders stay
	@rm -rf target .venv console/static console/web/node_modules dist engine/_router*.so
