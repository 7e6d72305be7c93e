# The only entry points. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# Where rustup puts cargo, for a shell that was opened before it was installed.
export PATH := $(PATH):$(HOME)/.cargo/bin

CARGO_DENY_VERSION := 0.20.2
TARPAULIN_VERSION := 0.37.5
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)

# The interface as the window has it in itself, and what it is made from.
PAGES := ui/dist/index.html
PAGES_FROM := $(shell find ui/src ui/index.html ui/vite.config.ts ui/frame.ts ui/icons.ts ui/svelte.config.js ui/package-lock.json \
	crates/hirag-server/bindings -type f)

step = @printf '\n== %s\n' '$(1)'

.PHONY: help setup run bundle test bench bench-scale coverage fmt types clean
.PHONY: check-fmt check-lints check-tests check-docs check-licences check-types check-links
.PHONY: check-ui check-pages check-window check-browser test-peers screenshots figures

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing (Debian packages, model); asks nothing, safe to repeat
	$(call step,setup)
	@scripts/setup

run: setup $(PAGES) ## build, and open the window; without a display, an answer on the terminal, a picture of it and a link for a browser
	$(call step,build)
	cargo build --release --locked -p hirag-studio -p hirag-server
	@scripts/run-studio "$(TARGET_DIR)/release"

bundle: setup $(PAGES) ## build the installer
	$(call step,bundle)
	@scripts/bundle "$(TARGET_DIR)"

test: setup check-fmt check-lints check-tests check-docs check-licences check-types check-links check-ui check-pages check-window check-browser ## everything that must hold before a commit
	$(call step,all checks passed)

check-fmt: ## formatting
	$(call step,format)
	cargo fmt --all --check

check-lints: $(PAGES) ## clippy, warnings as errors
	$(call step,clippy)
	cargo clippy --workspace --all-targets --features hirag-tests/window --locked -- -D warnings

# The property tests of the gate try the same cases every time, so that a change is judged by itself;
# plain `cargo test` tries new ones.
check-tests: $(PAGES) ## all tests
	$(call step,tests)
	PROPTEST_RNG_SEED=$${PROPTEST_RNG_SEED:-20261122} cargo test --workspace --locked

check-docs: $(PAGES) ## the documentation builds, and its links are alive
	$(call step,docs)
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

check-licences: ## licences, bans and sources of the dependencies
	$(call step,licences)
	@deny=$$(scripts/cargo-tool cargo-deny $(CARGO_DENY_VERSION)); \
	"$$deny" --locked check --hide-inclusion-graph licenses bans sources

check-types: ## the committed TypeScript types are those of the Rust types
	$(call step,types)
	@scripts/check-types

check-links: ## links, paths and settings that the Markdown files name exist
	$(call step,links)
	@scripts/check-links
	@scripts/check-settings

check-ui: $(PAGES) ## the interface: types, component tests, build, size
	$(call step,interface)
	npm --prefix ui run check
	npm --prefix ui test

check-pages: ui/node_modules ## the interface in a real browser: accessibility, content policy, sizes
	$(call step,interface in a browser)
	npm --prefix ui run build:fake
	npm --prefix ui run test:browser

# Both are built as one, with the features that the other tests have built their parts with.
check-window: $(PAGES) ## the real window, on a display that nobody sees
	$(call step,window)
	cargo build --workspace --locked --features hirag-tests/window --bin hirag-studio --test window
	cargo test --workspace --locked --features hirag-tests/window --test window -- --skip served::

check-browser: $(PAGES) ## the same in Chromium, from the server over HTTP
	$(call step,browser)
	cargo build --workspace --locked --features hirag-tests/window --bin hirag --test window
	HIRAG_FRONT=browser cargo test --workspace --locked --features hirag-tests/window --test window -- --skip windowed::

test-peers: $(PAGES) ## the server with other people's programs: schemathesis, promtool, official clients, wrk, an embeddings and a chat server
	$(call step,peers)
	@scripts/setup peers
	cargo build --locked -p hirag-server --bin hirag
	@for peer in tests/peers/*/run; do \
		echo "$$peer"; \
		"$$peer" "$(TARGET_DIR)/debug/hirag" "$(TARGET_DIR)/peers/$$(basename "$$(dirname "$$peer")")"; \
	done

screenshots: $(PAGES) ## the pictures in docs/screenshots, from the real window
	$(call step,screenshots)
	cargo build --workspace --locked --features hirag-tests/window --bin hirag-studio --bin make-screenshots
	"$(TARGET_DIR)/debug/make-screenshots" docs/screenshots

figures: $(PAGES) ## what the real window costs with 100,000 contexts, in a release build
	$(call step,figures)
	cargo build --release --locked -p hirag-studio -p hirag-server
	cargo build --workspace --locked --features hirag-tests/window --bin window-figures
	HIRAG_STUDIO="$(TARGET_DIR)/release/hirag-studio" "$(TARGET_DIR)/debug/window-figures"

$(PAGES): ui/node_modules $(PAGES_FROM)
	$(call step,interface)
	npm --prefix ui run build

ui/node_modules: ui/package-lock.json
	npm --prefix ui ci --no-audit --no-fund
	@touch $@

bench: setup ## run the benches and print a table against the targets
	$(call step,benches)
	cargo bench --locked -p hirag-benches
	@scripts/bench-table "$(TARGET_DIR)/criterion"

# What it may be told by the environment stands at the head of the script.
bench-scale: setup ## measure the search with up to 1,000,000 contexts beside its peers from PyPI, and write docs/performance
	$(call step,bench-scale)
	cargo build --release --locked -p hirag-benches --bin scale
	@scripts/bench-scale

coverage: setup ## line coverage of the core library by its own tests and those in tests/, at least 85 %
	$(call step,coverage)
	@tarpaulin=$$(scripts/cargo-tool cargo-tarpaulin $(TARPAULIN_VERSION) --no-default-features); \
	"$$tarpaulin" tarpaulin --engine Ptrace --skip-clean --timeout 300 --locked -p hirag -p hirag-tests --tests \
		--include-files 'crates/hirag/src/*' --target-dir "$(TARGET_DIR)/coverage" --fail-under 85

fmt: ## format the code
	cargo fmt --all

types: ## write the TypeScript types again
	rm -rf crates/hirag-server/bindings
	cargo run -q --locked -p hirag-server --example export_types -- crates/hirag-server/bindings

clean: ## remove what was built, and the sample workspace
	cargo clean
	rm -rf .hirag
