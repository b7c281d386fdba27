# The front door. `make help` says what it can do.
PREFIX ?= /usr/local
.DEFAULT_GOAL := help
.PHONY: help demo test build install bench quality parity format fuzz corpora asan tsan compilers aarch64 setup

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Two-stage search over real documents, from nothing to results
	@scripts/demo.sh

test: setup ## Build, get the models, run every test
	@scripts/build.sh release
	@scripts/test.sh

build: setup ## Build the tandem program: build/release/bin/tandem
	@scripts/build.sh release tandem_cli

install: setup ## Install program and library under PREFIX (default /usr/local)
	@scripts/build.sh release tandem_cli tandem
	@scripts/install.sh $(PREFIX)

bench: build ## Measure this machine and the peers in one run: benchmarks/results
	@benchmarks/run.sh

quality: build ## Measure what each stage is worth on the sets in TANDEM_DATA: docs/quality.md
	@benchmarks/quality.sh

parity: build ## Compare with sentence-transformers, live
	@tests/oracle/parity.sh

format: ## Format the C++ files
	@scripts/setup.sh format
	@scripts/format.sh

fuzz: ## Run each fuzzer for FUZZ_SECONDS (default 60)
	@scripts/setup.sh fuzz
	@scripts/fuzz.sh

corpora: ## Keep in tests/corpora what fuzzing has found here
	@scripts/setup.sh fuzz
	@scripts/fuzz.sh --keep

asan: setup ## Run the tests under AddressSanitizer and UBSan
	@scripts/sanitize.sh asan

tsan: setup ## Run the tests under ThreadSanitizer
	@scripts/sanitize.sh tsan

compilers: setup ## Build with each compiler that is here: GCC 12 and 14, Clang 16 and 19
	@scripts/compilers.sh

aarch64: ## Build for 64-bit ARM, and run the tests in an emulator
	@scripts/setup.sh aarch64
	@scripts/aarch64.sh

setup: ## Install what building needs (Debian packages)
	@scripts/setup.sh
