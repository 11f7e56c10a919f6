# Carillon. `make help` lists the commands.

SHELL := /bin/bash
SWIFT ?= swift
SEED ?=
RUNS ?=
FIRST ?=
TRACE ?=
OPTIONS ?=
SHRINK ?=
ARGUMENTS ?=
FILTER ?=
MINUTES ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-browser ci build format lint docs proto migrations linkage smoke simulate faults coverage chaos fuzz test-asan test-tsan cron-oracle clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: build ## build, then run the whole system on this machine until Ctrl-C (ARGUMENTS="--workers 2")
	@exec .build/release/carillon up $(ARGUMENTS)

build: packages-run ## build the release programs in .build/release/
	@.ci/build.sh -c release -- carillon-scheduler carillon-worker carillon-gateway carillon

test: packages-test ## run all tests (FILTER=Name for some of them)
	@.ci/build.sh --build-tests
	@.ci/test.sh $(FILTER)

test-unit: packages-test ## run all tests but the end-to-end tests, with 40 seeds of the simulation; two minutes after the build
	@.ci/build.sh --build-tests
	@TEST_WITHOUT=EndToEndTests CARILLON_SIM_RUNS=40 .ci/test.sh $(FILTER)

ci: ## run the checks of CI (CI_GROUP=threads, addresses, browser, all or none overrides the group chosen from the tree)
	@.ci/run

.PHONY: packages-run packages-test
packages-run packages-test: packages-%:
	@.ci/packages.sh $*

format: ## format all Swift code
	$(SWIFT) format -i -r Sources Tests Package.swift

lint: ## check the format, generated code, words and documentation
	$(SWIFT) format lint --strict -r Sources Tests Package.swift
	.ci/embed-migrations.sh --check
	.ci/proto.sh --check
	.ci/vocabulary.sh
	.ci/links.sh

docs: ## build the guides into a static site, .build/docs/
	.ci/docs.sh

proto: ## generate the C code of proto/
	.ci/proto.sh

migrations: ## embed migrations/ in the scheduler
	.ci/embed-migrations.sh

.PHONY: bench bench-quick bench-peers bench-report bench-build
BENCH_RESULTS ?= Tests/Benchmarks/results/latest.json
PEER_RESULTS ?= Tests/Benchmarks/results/peers.json

bench: bench-build ## run all benchmarks and measure the machine's limits (ARGUMENTS="--only drift"), three quarters of an hour
	@.build/release/carillon-bench --output $(BENCH_RESULTS) $(ARGUMENTS)

bench-quick: bench-build ## run shorter and smaller benchmarks in 3 minutes, without writing results
	@.build/release/carillon-bench --quick $(ARGUMENTS)

bench-peers: bench-build ## compare with other schedulers and gRPC, which are installed and built first (ARGUMENTS=--quick)
	@.ci/packages.sh peers
	@Tests/Peers/build.sh
	@.build/release/carillon-bench --peers --output $(PEER_RESULTS) $(ARGUMENTS)

bench-report: bench-build ## draw the pictures of the stored results
	@.build/release/carillon-bench --report $(BENCH_RESULTS)
	@[ ! -e $(PEER_RESULTS) ] || .build/release/carillon-bench --report $(PEER_RESULTS)

bench-build: packages-run
	@.ci/packages.sh bench
	@.ci/build.sh -c release

linkage: build ## check which program links which library
	.ci/linkage.sh

smoke: build ## run the system with a real job, and check the outcome
	.ci/smoke.sh

simulate: packages-test ## run clusters in simulated time (SEED=n repeats one, SHRINK=1 finds the smallest failing options; RUNS=100000 from seed FIRST=1 on)
	@CARILLON_SIM_SEED=$(SEED) CARILLON_SIM_RUNS=$(or $(RUNS),2000) CARILLON_SIM_FIRST=$(or $(FIRST),1) CARILLON_SIM_COVERAGE=1 \
		CARILLON_SIM_TRACE=$(TRACE) CARILLON_SIM_OPTIONS="$(OPTIONS)" CARILLON_SIM_SHRINK=$(SHRINK) .ci/simulate.sh

faults: packages-test ## inject faults into the core, and check that the simulation catches each (FAULT=name injects one)
	@.ci/faults.sh $(ARGUMENTS)

coverage: packages-test ## run the simulation, and fail for lines of the core that it never reaches
	@.ci/coverage.sh $(or $(RUNS),2000)

chaos: packages-test build ## inject faults into the release programs under a long load, and print the results
	@.ci/build.sh --build-tests
	@CARILLON_CHAOS=long CARILLON_PROGRAMS=.build/release TEST_TIMEOUT=2400 .ci/test.sh '(Fault|Clock)Tests/'

fuzz: packages-run ## run libFuzzer on frames, JSON, REST bodies and cron, MINUTES=1 each
	@.ci/fuzz.sh $(or $(MINUTES),1)

test-browser: packages-run build ## attack a running system with hostile web pages in a real Chromium, which is installed first
	@.ci/packages.sh browser
	@Tests/Browser/run.py --programs .build/release

test-asan: packages-test ## run unit tests and some simulation under the address sanitizer
	@.ci/sanitize.sh address '$(FILTER)'

test-tsan: packages-test ## run unit tests and some simulation under the thread sanitizer
	@.ci/sanitize.sh thread '$(FILTER)'

cron-oracle: build ## compare due times with cronsim and croniter (pip install cronsim croniter)
	python3 Tests/CronOracle/compare.py .build/release/carillon

clean: ## remove build results (not the data in .carillon/)
	rm -rf .build .build-asan .build-tsan .build-fuzz .build-simulation
