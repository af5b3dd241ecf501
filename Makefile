# The two commands: `make demo` and `make test`. Each sets up what it needs.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format lock bench bench-speed bench-growth bench-trials bench-similar bench-knowledge bench-gate bench-drift bench-answer bench-insights bench-review clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY) ## Make the environment: locked dependencies, this project editable

$(READY): requirements.lock pyproject.toml
	@sh .ci/setup "$(PYTHON)" "$(VENV)"
	@touch $(READY)

demo: $(READY) ## Train on the sample history, print one suggestion, serve
	@$(BIN)/triage demo

test: $(READY) ## Run every test
	@$(BIN)/pytest -n 2 --dist worksteal

check: $(READY) ## Format, lint, types, import arrows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(READY) ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: ## Resolve the dependencies anew into requirements.lock
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/pip install --quiet uv; }
	@$(BIN)/uv pip compile --universal --generate-hashes --no-header --all-extras --upgrade --quiet \
		--output-file requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --universal --generate-hashes --no-header --upgrade --quiet --group bench \
		--constraint requirements.lock --output-file requirements-bench.lock

bench: $(BENCH_READY) ## Measure learning on real data beside peers (ONLY=endava: some sets)
	@$(BIN)/python -m tests.benchmarks.learning $(ONLY)
	@test -n "$(ONLY)" || $(BIN)/python -m tests.benchmarks.knowledge

$(BENCH_READY): $(READY) requirements-bench.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --only-binary :all: --require-hashes \
		--requirement requirements-bench.lock && touch $@ \
		|| echo "bench: fastText cannot be installed here; its rows will say so" >&2

bench-speed: $(READY) ## Measure speed beside peers
	@$(BIN)/python -m tests.benchmarks.speed

bench-growth: $(READY) ## Measure training time and memory up to a million tickets
	@$(BIN)/python -m tests.benchmarks.growth

bench-knowledge: $(READY) ## Measure how often the right article is found, beside other searches
	@$(BIN)/python -m tests.benchmarks.knowledge

bench-answer: $(READY) ## Measure what an answer to one ticket takes, by stage and over HTTP
	@$(BIN)/python -m tests.benchmarks.answer

bench-review: $(READY) ## Measure the review page with 100,000 suggestions behind it
	@$(BIN)/python -m tests.benchmarks.review

bench-similar: $(READY) ## Measure similar tickets up to a million of them
	@$(BIN)/python -m tests.benchmarks.similar

bench-gate: $(READY) ## Judge twenty honest retrains and twenty sabotaged ones
	@$(BIN)/python -m tests.benchmarks.gate

bench-drift: $(READY) ## Count false alarms of drift, and tickets until a shift is found
	@$(BIN)/python -m tests.benchmarks.drift

bench-trials: $(READY) ## Try other settings of the heads inside training parts
	@$(BIN)/python -m tests.benchmarks.trials

bench-insights: $(READY) ## Measure the insights page of a store of 100,000 suggestions
	@$(BIN)/python -m tests.benchmarks.insights

clean: ## Remove the environment, caches and trained models
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .bench
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@find models -mindepth 1 ! -name README.md -delete
