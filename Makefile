# Basalt. `make up` and `make test` are all that a newcomer needs; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON := .venv/bin/python
STACK ?= local
T ?= tests
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help setup up down status logs restart reset journey import import-history lint check test test-fast \
	test-store test-flow sim mutants kill-sweep bench realapps contracts verify lock format

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## prepare what is missing: environment, Java libraries, Go binaries
	@command -v python3.11 >/dev/null || \
		{ echo "basalt: python3.11 is missing: install Python 3.11" >&2; exit 1; }
	@python3.11 -m infra.local.prepare --python
	@$(PYTHON) -m infra.local.prepare

ifeq ($(STACK),docker)
up: ## the whole platform, proven by the golden journey (STACK=docker: with containers)
	@docker info >/dev/null 2>&1 || \
		{ echo "basalt: no container engine answers: start one, or run make up" >&2; exit 1; }
	@test -f .env || (umask 077; for name in CONTEXT_KEY POSTGRES_PASSWORD DATABASE_PASSWORD; do \
		echo "$$name=$$(head -c 32 /dev/urandom | sha256sum | cut -c1-64)"; done > .env)
	docker compose up --detach --build --wait
	docker compose run --rm --no-deps gateway python -m tools.journey --gateway http://gateway:8000
	@echo "GraphQL   http://127.0.0.1:$${GATEWAY_PORT:-7400}/graphql"
down: ## stop the platform
	docker compose down
status logs restart reset journey import import-history:
	@echo "basalt: with STACK=docker use docker compose ps, logs, restart, down --volumes" >&2; exit 1
else
up: setup
	@$(PYTHON) -m infra.local.up up
down:
	@$(PYTHON) -m infra.local.up down
status: ## a line per process
	@$(PYTHON) -m infra.local.up status
logs: ## follow one log: make logs S=gateway
	@$(PYTHON) -m infra.local.up logs $(S)
restart: ## restart one process: make restart S=billing
	@$(PYTHON) -m infra.local.up restart $(S)
reset: ## stop, and forget all data
	@$(PYTHON) -m infra.local.up reset
journey: ## the golden journey and its mirrors, against the running platform
	@$(PYTHON) -m infra.local.up journey
import: ## import an app from a folder: make import DIR=path/to/app
	@test -n "$(DIR)" || { echo "basalt: which app? make import DIR=path/to/app" >&2; exit 1; }
	@$(PYTHON) -m tools.import_app "$(DIR)"
import-history: ## each commit of a clone as a revision: make import-history REPO=path NAME= CHECK=1
	@test -n "$(REPO)" || { echo "basalt: which clone? make import-history REPO=path" >&2; exit 1; }
	@$(PYTHON) -m tools.history "$(REPO)" $(if $(NAME),--name "$(NAME)") \
		$(if $(REF),--ref "$(REF)") $(if $(APP),--app "$(APP)") $(if $(CHECK),--check)
endif

format: ## format the code
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .
lint: setup ## format, lint, types, imports, generated files
	.venv/bin/ruff format --no-cache --check .
	.venv/bin/ruff check --no-cache .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	@$(MAKE) --no-print-directory verify
check: lint test-fast ## lint, and the fast tests
test: lint ## everything
	$(PYTHON) -m pytest $(T)
test-fast: setup ## what needs no server, simulates no whole worlds and tries no thousand cases
	$(PYTHON) -m pytest -m "not servers and not simulated and not thorough" $(T)
test-store: setup ## stores against real servers
	$(PYTHON) -m pytest -m "servers and not flow" $(T)
test-flow: setup ## whole journeys with two replicas of every service, and faults
	$(PYTHON) -m pytest -m flow $(T)
kill-sweep: setup ## every step of every saga killed at every fault point: SEED=, SAMPLE=40, RESUME=1
	$(PYTHON) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(SAMPLE),--sample $(SAMPLE)) \
		$(if $(RESUME),--resume) $(if $(REPORT),--report $(REPORT))
bench: setup ## ratios against peers and physical limits, in one run; ONLY=references, DIR=path/to/app
	@$(PYTHON) -m infra.local.prepare --bench
	@.venv-bench/bin/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(DIR),--app "$(DIR)")

SAGAS ?= 100000
sim: setup ## simulate sagas under faults; SEEDS=17 or 100-199, SAGA=publish_app, SAGAS=1000
	@$(PYTHON) -m tests.simulation --sagas $(SAGAS) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(if $(SAGA),--saga $(SAGA))
mutants: setup ## take each safety mechanism away: the simulator must notice; ALL=1: every line
ifdef ALL
	@$(PYTHON) -m infra.local.prepare --mutants
	@.venv-mutants/bin/python -m pytest tests/mutation
	@nice -n 10 .venv-mutants/bin/python -m tests.mutation $(if $(ONLY),--only $(ONLY)) \
		$(if $(FRESH),--fresh)
else
	@$(PYTHON) -m tests.simulation.kill
endif

realapps: setup ## real apps, checked, also through the product: make realapps DIR="APP APP", QUICK=1
	@test -n "$(DIR)" || { echo "basalt: which apps? make realapps DIR=path/to/app" >&2; exit 1; }
	@$(PYTHON) -m tests.realapps $(if $(QUICK),--no-product) \
		$(if $(GATEWAY),--gateway $(GATEWAY)) $(DIR)

contracts: ## write schemas, samples and the AsyncAPI document; refuse a breaking change
	@$(PYTHON) -m tools.contracts write
	@$(PYTHON) -m services.gateway.graphql.schema
verify: ## generated files are current, and nothing released is broken
	@$(PYTHON) -m tools.contracts verify
	@$(PYTHON) -m tools.contracts gate
lock: ## pin the dependencies again
	@.venv/bin/python -m tools.lock
