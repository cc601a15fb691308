# The same small commands serve people and CI. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 3
ROWS ?= 1000000
DATABASE ?= postgresql
KEYS ?= 20000
ARCHITECTURE ?= x86_64
LAMBDA_PYTHON ?= 3.12
EVENTS ?= 10000
STORE ?= seaweedfs
LAYOUTS ?= 10000
COMPOSE ?= docker compose
PROFILE ?= local
COMPOSE_FILES := --file localstack/docker-compose.yml --env-file localstack/.env
COMPOSE_THERE = $(COMPOSE) version >/dev/null 2>&1 || { echo "fitsvault: this needs Docker with its Compose plugin: '$(COMPOSE) version' fails" >&2; exit 1; }

.PHONY: help run test check format bench bench-index bench-migrations bench-reconcile bench-bundles bench-workers bench-cold bench-page prove-bundles prove-zip64 drill pictures package test-package deploy lock lock-lambda clean up down

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit("fitsvault needs Python 3.11 or later, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: .venv/.made requirements/run.txt pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

run: .venv/.run ## Start the whole archive on this machine, in the foreground
	@exec $(BIN)/python -m localstack

up: ## Start the archive with MinIO and PostgreSQL in containers; PROFILE=production: docs/on-premises.md (needs Docker)
	@$(COMPOSE_THERE)
	@$(PYTHON) -m localstack.compose_secrets
	$(COMPOSE) $(COMPOSE_FILES) --profile $(PROFILE) up --build --detach --wait

down: ## Stop the containers; what they hold stays
	@$(COMPOSE_THERE)
	$(COMPOSE) $(COMPOSE_FILES) --profile '*' down

test: .venv/.dev ## Run the tests, in WORKERS processes (3)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: .venv/.dev ## Lint, format check and type check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev ## Measure, with a baseline in the same run
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench_bulk

bench-index: .venv/.dev ## Measure the index at ROWS frames (1,000,000) in DATABASE (postgresql or sqlite)
	$(BIN)/python -m tests.bench_index --rows $(ROWS) --database $(DATABASE) $(BENCH)

bench-migrations: .venv/.dev ## Measure how long ROWS frames (1,000,000) take forward and back, and others wait
	$(BIN)/python -m tests.bench_migrations --rows $(ROWS)

bench-reconcile: .venv/.dev ## Measure a sweep of KEYS objects (20000) in STORE (seaweedfs)
	$(BIN)/python -m tests.bench_reconcile --keys $(KEYS) --store $(STORE)

bench-workers: .venv/.dev ## Measure 2, 4 and 8 workers that drain EVENTS events (10000) of one NATS stream
	$(BIN)/python -m tests.bench_workers --events $(EVENTS) $(BENCH)

bench-page: .venv/.dev ## Measure the search page at ROWS frames (1,000,000) in Chromium
	$(BIN)/python -m tests.bench_page --rows $(ROWS) $(BENCH)

bench-bundles: .venv/.dev ## Measure zips and bundles beside plain GETs and two usual ways
	$(BIN)/python -m tests.bench_bundles $(BENCH)

prove-bundles: .venv/.dev ## Have four programs look at LAYOUTS random zips (10000), for real (some minutes)
	$(BIN)/python -m tests.bundle.many_layouts --layouts $(LAYOUTS) $(if $(SEED),--seed $(SEED))

bench-cold: .venv/.dev ## Measure cold starts of the built packages
	$(BIN)/python -m tests.bench_cold $(BENCH)

prove-zip64: .venv/.dev ## Make a zip of more than 4 GiB, for real (some minutes, 15 GB of disk)
	$(BIN)/python -m tests.large_bundle

drill: .venv/.dev ## Break an archive on STORE in every way, and prove that nothing is lost (SEED=… again)
	$(BIN)/python -m tests.drill --store $(STORE) $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.drill --store $(STORE) $(if $(SEED),--seed $(SEED)) --no-reconcile --objects 800 --minutes 1.5

pictures: .venv/.dev ## Take the pictures of docs/pictures anew, of the real frames beside the project (needs Chromium)
	PICTURES=docs/pictures $(BIN)/python -m pytest tests/browser/test_pictures.py

package: .venv/.dev ## Build the functions' packages (ARCHITECTURE=arm64, LAMBDA_PYTHON=3.13)
	$(BIN)/python -m infra.packaging --python $(LAMBDA_PYTHON) --architecture $(ARCHITECTURE)

test-package: .venv/.dev ## Run the built packages as Lambda runs them
	FITSVAULT_TEST_PACKAGES=$(LAMBDA_PYTHON) $(BIN)/python -m pytest tests/packages

deploy: package ## Deploy to AWS what was built, as samconfig.toml says (DEPLOY=--guided for more)
	$(BIN)/python -m infra.sam deploy $(DEPLOY)

lock: .venv/.dev ## Pin names, versions and hashes anew
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --extra local pyproject.toml --output-file requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --all-extras --constraints requirements/run.txt pyproject.toml --output-file requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements/pyobs.in --output-file requirements/pyobs.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements/localstack.in --output-file requirements/localstack.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements/aws.in --output-file requirements/aws.txt
	$(MAKE) lock-lambda

lock-lambda: .venv/.dev
	for name in api ingest bundle reconcile migrate; do \
		$(BIN)/uv pip compile --quiet --python-version 3.12 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header --constraints requirements/run.txt requirements/lambda-$$name.in --output-file requirements/lambda-$$name.txt || exit 1; \
	done
	$(BIN)/uv pip compile --quiet --python-version 3.12 --generate-hashes --no-header --upgrade requirements/lambda-runtime.in --output-file requirements/lambda-runtime.txt

clean: ## Remove what was built (never the data)
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
