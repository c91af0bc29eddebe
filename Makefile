# One list of commands, the same for people, hooks and CI. Nothing has to be done before any of them:
# `scripts/setup` makes .venv on first use and returns at once when there is nothing to do.
.DEFAULT_GOAL := help
.PHONY: help run test check format bench clean

BIN := .venv/bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: ## a DNS server on 127.0.0.1:5300 with three stand-in regions to fail over between
	@scripts/setup run
	@$(BIN)/georouter demo

check: ## format, lint, types, import contracts
	@scripts/setup dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## check, then every test, several at a time (against real servers too, see tests/live)
	@scripts/live-packages
	$(BIN)/pytest -n 3 $(PYTEST_ARGS)

format: ## let ruff rewrite what it can
	@scripts/setup dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: ## measure beside other servers (python -m benchmarks.peers), failover, reload, start-up and geographic truth
	@scripts/setup bench
	@scripts/live-packages bench
	@$(BIN)/python -m benchmarks.all

clean: ## remove everything these commands made
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache state
	find georouter -name "*.so" -delete
