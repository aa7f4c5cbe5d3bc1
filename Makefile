# The same words for people and for CI. `make` alone prints them; every target does its own set-up.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help ingest check test sim night bench bench-js bench-data bench-steps bench-live bench-flame bench-docs bench-page e2e build clean pages

RECORDING ?= fixtures/debezium/envelope-schema
LAKE ?= ./lake

# npm writes this file itself when an install is complete. No package of ours needs its install script.
INSTALLED := node_modules/.package-lock.json

help: ## print these targets
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

$(INSTALLED): package.json package-lock.json
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

build: $(INSTALLED) ## compile to dist/
	npm run --silent build

ingest: build ## lay recorded Debezium topics down as Delta tables in ./lake (RECORDING=dir, LAKE=dir)
	node dist/src/cli/main.js ingest --from $(RECORDING) --until-end --lake $(LAKE)
	@echo
	@echo "Look at a table with any engine that reads Delta Lake:"
	@echo "  duckdb -c \"select * from delta_scan('$(LAKE)/inventory/customers')\""
	@echo "  python3 -c \"import polars; print(polars.read_delta('$(LAKE)/inventory/customers'))\"   # pip install polars deltalake"
	@echo "  node dist/src/cli/main.js table head inventory.customers --lake $(LAKE)"
	@echo "Run it again: nothing is applied twice."

check: $(INSTALLED) ## format, lint, types, imports and layers
	npx biome check .
	npx tsc --noEmit
	npx vitest run test/layers.test.ts test/package.test.ts

test: $(INSTALLED) ## unit, golden and property tests
	npx vitest run

sim: $(INSTALLED) ## the engine in made-up worlds, every commit held against the truth; every port call made to fail; two days of a busy table; planted bugs found (SEEDS=n, FROM=n, DAYS=n; SEED=n repeats one)
	rm -rf .sim && npx tsc -p test/sim/tsconfig.json
	node --enable-source-maps .sim/test/sim/$(if $(SEED),run,run-parts).js

night: $(INSTALLED) ## the long runs: 20,000 seeds, every call of the loop, thirty days of a busy table, inputs of full size, a thousand proofs under load; what they came to is to be committed
	$(MAKE) sim SEEDS=20000 FROM=100001 LOOP=all DAYS=30 RESULT=$(CURDIR)/test/sim/results/night.json FIGURES=docs/figures/thirty-days.json
	node .sim/test/sim/month/draw-month.js docs/figures/thirty-days.json docs/figures/thirty-days.svg
	npm run --silent build && LARGE=full npx vitest run --config test/e2e/vitest.config.ts large-inputs
	PROOFS=1000 bash test/e2e/live/run.sh proof
	BACKFILL_KILLS=20 bash test/e2e/live/run.sh backfill

# What measures is compiled beside what it measures; input, tables and peers lie in .bench/ too.
bench-js: $(INSTALLED)
	bash bench/install.sh
	.bench/venv/bin/python bench/workload/check_generator.py
	npx tsc -p bench/tsconfig.json

bench: bench-js ## the same work as delta-rs and Spark do, in one run, its tables read back (BENCH=quick, usual, full, or names of cases); see bench/README.md
	node --enable-source-maps .bench/js/bench/run.js $(or $(BENCH),usual)

bench-data: bench-js ## the input of make bench, which else makes it itself
	node --enable-source-maps .bench/js/bench/prepare.js $(or $(BENCH),usual)

bench-steps: bench-js ## what each step of the way of a record costs by itself
	node --enable-source-maps .bench/js/bench/micro/run.js

bench-live: $(INSTALLED) ## freshness and scale-out with a real broker, Debezium and an S3 server (LIVE=freshness, chain or scale-out)
	bash bench/live/run.sh $(LIVE)

bench-flame: bench-js ## where the time of upserts goes: docs/flame-upserts.svg
	node --enable-source-maps .bench/js/bench/flame/run.js

bench-page: ## all that docs/performance.md shows, measured anew and written down; an hour on a quiet machine
	$(MAKE) bench-data
	$(MAKE) bench
	$(MAKE) bench-steps
	$(MAKE) bench-live
	$(MAKE) bench-flame
	$(MAKE) bench-docs

bench-docs: bench-js ## the tables of docs/performance.md from the stored results
	node --enable-source-maps .bench/js/bench/write-docs.js

e2e: build ## the package in an empty folder; the command line on recorded topics, on disk, on S3, from Kafka and live from Postgres, its tables read by Spark, delta-rs and DuckDB
	bash test/e2e/package/run.sh
	bash test/e2e/run.sh
	bash test/e2e/s3/run.sh
	bash test/e2e/kafka/run.sh
	bash test/e2e/foreign/run.sh
	bash test/e2e/connector/run.sh
	bash test/e2e/live/run.sh
	bash test/e2e/ops/run.sh

pages: $(INSTALLED) ## write the references of configuration and commands, and the JSON schema, anew from the code
	npx vitest run test/pages.test.ts --update

clean: ## remove what was built and the lake of `make ingest`; installed packages stay
	rm -rf dist .sim lake .alluvium
