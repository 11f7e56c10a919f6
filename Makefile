# Carillon. `make help` lists what there is.

SHELL := /bin/bash
SWIFT ?= swift
ARGUMENTS ?=
FILTER ?=

.DEFAULT_GOAL := help
.PHONY: help run test build packages format lint check proto migrations linkage smoke simulate chaos bench clean

help: ## list what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: build ## build, then run the whole system here (ARGUMENTS="--workers 2" and so on) until Ctrl-C
	@exec .build/release/carillon up $(ARGUMENTS)

build: packages-run ## put the release programs into .build/release/
	@.ci/build.sh -c release

test: packages-test ## run every test (FILTER=Name for some of them)
	@.ci/build.sh --build-tests
	@.ci/test.sh $(FILTER)

.PHONY: packages-run packages-test
packages-run packages-test: packages-%:
	@.ci/packages.sh $*

format: ## format all Swift code
	$(SWIFT) format -i -r Sources Tests Package.swift

lint: ## what CI checks of the text: format, generated code
	$(SWIFT) format lint --strict -r Sources Tests Package.swift
	.ci/embed-migrations.sh --check
	.ci/proto.sh --check

proto: ## make the C code of proto/ anew
	.ci/proto.sh

migrations: ## embed migrations/ in the scheduler anew
	.ci/embed-migrations.sh

.PHONY: bench bench-quick bench-report bench-build
BENCH_RESULTS ?= Tests/Benchmarks/results/latest.json

bench: bench-build ## measure everything beside the machine's limits (ARGUMENTS="--only drift"), half an hour
	@.build/release/carillon-bench --output $(BENCH_RESULTS) $(ARGUMENTS)

bench-quick: bench-build ## the same in some 4 minutes, shorter and smaller; nothing is kept
	@.build/release/carillon-bench --quick $(ARGUMENTS)

bench-report: bench-build ## draw the pictures of the results that are kept
	@.build/release/carillon-bench --report $(BENCH_RESULTS)

bench-build: packages-run
	@.ci/packages.sh bench
	@.ci/build.sh -c release

linkage: build ## prove which program links which library
	.ci/linkage.sh

smoke: build ## run the system with a real job, and look at what became of it
	.ci/smoke.sh

clean: ## remove what was built (not the data in .carillon/)
	rm -rf .build
