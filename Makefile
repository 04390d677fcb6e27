# The one door: people, hooks and CI call these targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
STAMPS := .stamps

# cargo finds libtorch through the environment's own torch (.cargo/config.toml asks it to).
export VIRTUAL_ENV := $(VENV)
export PATH := $(BIN):$(PATH)
unexport PYTHONPATH PYTHONHOME
export PYTHONNOUSERSITE := 1
# Test binaries are not extension modules: nothing preloads libtorch for them.
TORCH_LIB = $(shell $(BIN)/python -c 'import importlib.util as u, pathlib as p; print(p.Path(u.find_spec("torch").origin).parent / "lib")')
export DVC_NO_ANALYTICS := 1
# One profile for wheel, tests and lint: one set of compiled dependencies.
CARGO_FLAGS := --locked --release
GENERATOR := benches/serve/generator/Cargo.toml

RUST_SOURCES := Cargo.toml Cargo.lock .cargo/config.toml $(shell find src -type f)
PYTHON_FOLDERS := python tests benches deploy notebooks .ci
PYTHON_SOURCES := pyproject.toml $(shell find python -type f -not -name '*.pyc' -not -name '*.so')

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# --- environment -------------------------------------------------------------

$(STAMPS)/venv: requirements/bootstrap.txt
	@mkdir -p $(STAMPS)
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else f"Python 3.11 or newer is needed, {sys.version.split()[0]} found; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(STAMPS)/base: $(STAMPS)/venv requirements.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.txt
	@touch $@

$(STAMPS)/dev: $(STAMPS)/base requirements-dev.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

ifdef WHEELS
# Built once, tested many times: the wheel in the folder WHEELS is installed, none is built.
$(STAMPS)/wheel: $(STAMPS)/base $(wildcard $(WHEELS)/*.whl)
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --force-reinstall $(WHEELS)/*.whl
	@touch $@
else
$(STAMPS)/wheel: $(STAMPS)/base $(RUST_SOURCES) $(PYTHON_SOURCES)
	@rm -rf dist
	$(BIN)/maturin build --release --locked --out dist
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --force-reinstall dist/*.whl
	@touch $@
endif

.PHONY: wheel
wheel: $(STAMPS)/wheel ## build the wheel and install it into .venv

# --- the two commands --------------------------------------------------------

.PHONY: demo
demo: $(STAMPS)/wheel ## from nothing to classified papers
	$(BIN)/dvc repro
	$(BIN)/dvc metrics show runs/pipeline/headline.json
	@echo; echo "Three papers, classified by the default model:"
	$(BIN)/arxiv-core classify python/arxiv_core/sample/demo.jsonl
	@echo; echo "Start the API:  .venv/bin/arxiv-core serve"

.PHONY: test
test: lint test-rust test-python ## everything from nothing to green

.PHONY: lint
lint: lint-rust lint-python lint-workflows lint-files ## formats, clippy, ruff, types, stubs, workflows, files

.PHONY: lint-rust
lint-rust: clippy ## rustfmt and clippy
	cargo fmt --check
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo fmt --check --manifest-path $(GENERATOR)

.PHONY: clippy
clippy: $(STAMPS)/dev
	cargo clippy $(CARGO_FLAGS) --all-targets --features python -- -D warnings
	cargo clippy $(CARGO_FLAGS) --all-targets --no-default-features -- -D warnings
	cargo clippy $(CARGO_FLAGS) --no-default-features --features raw-text -- -D warnings
	cargo clippy $(CARGO_FLAGS) --all-targets --manifest-path $(GENERATOR) --target-dir target -- -D warnings

.PHONY: lint-python
lint-python: types $(STAMPS)/wheel ## ruff, mypy, stubs
	$(BIN)/ruff format --check $(PYTHON_FOLDERS)
	$(BIN)/ruff check $(PYTHON_FOLDERS)
	cd tests/stubs && $(BIN)/python -m mypy.stubtest arxiv_core._core --allowlist allowlist.txt

.PHONY: types
types: $(STAMPS)/dev
	$(BIN)/mypy

.PHONY: lint-workflows
lint-workflows: $(STAMPS)/dev ## workflows, actions, dependabot, compose.yaml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/zizmor --offline --quiet --no-progress .github

.PHONY: lint-files
lint-files: $(STAMPS)/dev ## large files, secrets, outputs in notebooks
	$(BIN)/python .ci/guard.py
	$(BIN)/nbstripout --verify notebooks/*.ipynb

.PHONY: test-core
test-core: ## Rust tests of the rooms that need neither libtorch nor Python, and of the load generator
	cargo test $(CARGO_FLAGS) --no-default-features
	cargo test $(CARGO_FLAGS) --manifest-path $(GENERATOR) --target-dir target

.PHONY: test-torch
test-torch: $(STAMPS)/dev
	LD_LIBRARY_PATH=$(TORCH_LIB) cargo test $(CARGO_FLAGS)

.PHONY: test-rust
test-rust: test-core test-torch ## Rust tests, without and with libtorch

# Many tests wait for processes of their own. A file's tests stay together: they share what was
# made for them. WORKERS=0 runs one after the other, in the order of the files.
WORKERS ?= 2
PARALLEL := -n $(WORKERS) --dist loadfile

.PHONY: test-python
test-python: $(STAMPS)/dev $(STAMPS)/wheel ## Python tests against the installed wheel
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow" --durations 15

.PHONY: test-slow
test-slow: $(STAMPS)/dev $(STAMPS)/wheel $(STAMPS)/bento ## whole-corpus parity and other long checks
	$(BIN)/python -m pytest -m slow --timeout 3600

.PHONY: test-serve
test-serve: $(STAMPS)/dev $(STAMPS)/wheel ## the service's own tests
	$(BIN)/python -m pytest tests/serve tests/live -m "not slow"

$(STAMPS)/api: $(STAMPS)/venv requirements/api.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python .venv-api
	$(BIN)/uv pip install -q --python .venv-api/bin/python --require-hashes -r requirements/api.txt
	@touch $@

.PHONY: test-api
test-api: $(STAMPS)/wheel $(STAMPS)/api ## the running service under schemathesis and Locust, into build/api
	.ci/test-api

# The wheel's base requirements and BentoML's own: the newest of both need not fit .venv.
$(STAMPS)/bento: $(STAMPS)/wheel requirements/bento.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python .venv-bento
	$(BIN)/uv pip install -q --python .venv-bento/bin/python --require-hashes -r requirements/bento.txt
	$(BIN)/uv pip install -q --python .venv-bento/bin/python --no-deps --force-reinstall $(or $(WHEELS),dist)/*.whl
	@touch $@

MINUTES ?= 60

.PHONY: soak
soak: $(STAMPS)/wheel $(STAMPS)/dev ## MINUTES of mixed traffic, and whether the service held, into build/soak.jsonl
	$(BIN)/python tests/load/soak.py --minutes $(MINUTES)

# --- fuzzing -----------------------------------------------------------------

# One package, laid beside those of .venv, for the same Python.
$(STAMPS)/fuzz: $(STAMPS)/venv requirements/fuzz.txt
	$(BIN)/uv pip install -q --python $(BIN)/python --target .venv-fuzz --require-hashes -r requirements/fuzz.txt
	@touch $@

export SECONDS_EACH ?= 60
FUZZ := requests tokenize

.PHONY: fuzz
fuzz: $(STAMPS)/dev $(STAMPS)/wheel $(STAMPS)/fuzz ## fuzz what reads requests and texts, SECONDS_EACH; FUZZ names the targets
	TORCH_LIB=$(TORCH_LIB) .ci/fuzz $(FUZZ)

# --- coverage ----------------------------------------------------------------

# Percent of lines; a little below what was measured (docs/ci.md).
PYTHON_FLOOR := 94
RUST_FLOOR := 85

.PHONY: coverage
coverage: coverage-python coverage-rust ## lines that the tests run, in Python and in Rust

# A tracer makes omegaconf chain its errors otherwise, as in a debugger; OC_CAUSE=0 stops that.
.PHONY: coverage-python
coverage-python: $(STAMPS)/dev $(STAMPS)/wheel
	OC_CAUSE=0 $(BIN)/python -m pytest $(PARALLEL) -m "not slow" --cov --cov-report=term:skip-covered --cov-fail-under=$(PYTHON_FLOOR)

.PHONY: coverage-rust
coverage-rust: $(STAMPS)/dev
	FLOOR=$(RUST_FLOOR) TORCH_LIB=$(TORCH_LIB) .ci/coverage-rust

# --- hooks and workflows -----------------------------------------------------

.PHONY: hooks
hooks: $(STAMPS)/dev ## install the pre-commit hooks
	$(BIN)/pre-commit install

.PHONY: data
data: $(STAMPS)/wheel ## the prepared papers: pulled from DVC's remote, made where there is none
	.ci/obtain-data

.PHONY: data-stats
data-stats: $(STAMPS)/wheel ## what is in the data, and what changed since the commit BASE
	$(BIN)/python .ci/data_statistics.py build/data-statistics.md $${BASE:+"$$BASE"}

.PHONY: cache-key
cache-key: ## what compiled dependencies depend on besides Cargo.lock
	@printf 'toolchain=%s\n' "$$( (rustc -vV; uname -sm; echo "$${ImageOS:-}") | cksum | cut -d' ' -f1)" >> "$${GITHUB_OUTPUT:-/dev/stdout}"

# What comes from outside is read by the shell, from the environment: make would expand it.
.PHONY: comment
comment: ## post build/data-statistics.md to the pull request PR (gh)
	gh pr comment "$$PR" --body-file build/data-statistics.md --edit-last --create-if-none

.PHONY: propose-locks
propose-locks: ## open a pull request with recompiled locks (gh)
	.ci/propose-locks

.PHONY: promote-model
promote-model: $(STAMPS)/wheel ## test the registered MODEL=name@alias and give it the alias TO
	.ci/promote-model

.PHONY: release
release: ## publish dist/ as the release of the tag TAG (gh)
	gh release create "$$TAG" dist/* --verify-tag --generate-notes

.PHONY: green
green: ## fail unless every word of RESULTS is success
	@for result in $$RESULTS; do [ "$$result" = success ] || { echo "a job ended with: $$result"; exit 1; }; done

# --- documentation -----------------------------------------------------------

$(STAMPS)/docs: $(STAMPS)/venv requirements/docs.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python .venv-docs
	$(BIN)/uv pip install -q --python .venv-docs/bin/python --require-hashes -r requirements/docs.txt
	@touch $@

.PHONY: docs
docs: $(STAMPS)/docs ## the documentation's site, into build/docs
	.venv-docs/bin/mkdocs build

# --- images ------------------------------------------------------------------

IMAGES := serve train

.PHONY: images
images: ## build the images, by Docker or buildah; WHEEL=dist takes the wheel that lies there
	.ci/build-images $(IMAGES)

.PHONY: test-images
test-images: $(STAMPS)/dev $(STAMPS)/wheel ## build the images by buildah as root, run what is in them, tell their sizes
	$(BIN)/python -m pytest tests/images -m slow --timeout 3600
	@cat build/images.json

.PHONY: image-digests
image-digests: ## the images of others, each with its digest of today (docker)
	@.ci/image-digests >> "$${GITHUB_OUTPUT:-/dev/stdout}"

# --- measurement -------------------------------------------------------------

$(STAMPS)/bench: $(STAMPS)/venv requirements/bench.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python .venv-bench
	$(BIN)/uv pip install -q --python .venv-bench/bin/python --require-hashes -r requirements/bench.txt
	@touch $@

# Infinity asks for older releases of what sentence-transformers is made of.
$(STAMPS)/infinity: $(STAMPS)/venv requirements/infinity.txt
	$(BIN)/uv venv -q --allow-existing --python $(BIN)/python .venv-infinity
	$(BIN)/uv pip install -q --python .venv-infinity/bin/python --require-hashes -r requirements/infinity.txt
	@touch $@

.PHONY: bench
bench: $(STAMPS)/wheel $(STAMPS)/dev $(STAMPS)/bench $(STAMPS)/bento $(STAMPS)/infinity ## prepare, encode, head and service beside their peers, one run
	$(BIN)/python benches/prepare/run.py --peer-python .venv-bench/bin/python
	$(BIN)/python benches/prepare/pack.py
	$(BIN)/python benches/encode/run.py
	$(BIN)/python benches/encode/parts.py
	$(BIN)/python benches/head/run.py
	$(BIN)/python benches/serve/run.py
	$(BIN)/python benches/serve/memory.py
	$(MAKE) readme

.PHONY: default-model
default-model: $(STAMPS)/dev $(STAMPS)/wheel ## remake and measure the wheel's default model, and its baselines
	$(BIN)/python benches/quality/baselines.py --cache build/embeddings
	$(BIN)/python benches/quality/default_model.py --cache build/embeddings
	$(MAKE) wheel
	$(BIN)/python benches/quality/derived.py
	$(BIN)/python benches/cleaning/run.py --cache build/embeddings
	$(MAKE) readme

.PHONY: params
params: $(STAMPS)/wheel ## write params.yaml from the configuration tree
	$(BIN)/arxiv-core config --plain > params.yaml.new && mv params.yaml.new params.yaml

.PHONY: readme
readme: $(STAMPS)/dev ## write README's tables from benches/results
	$(BIN)/python benches/readme.py

.PHONY: lock
lock: $(STAMPS)/venv ## recompile the requirement files from pyproject.toml
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade requirements/bootstrap.in -o requirements/bootstrap.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade --extra all pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade --extra all --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade requirements/bench.in -o requirements/bench.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade requirements/bento.in pyproject.toml -o requirements/bento.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade requirements/docs.in -o requirements/docs.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade requirements/infinity.in -o requirements/infinity.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade requirements/api.in -o requirements/api.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade requirements/fuzz.in -o requirements/fuzz.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade --extra serve --extra telemetry --excludes requirements/serve-excludes.txt -c requirements.txt pyproject.toml -o requirements/serve.txt
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade --no-deps -c requirements.txt requirements/serve-files.in -o requirements/serve-files.txt

.PHONY: clean
clean: ## remove what the targets made; data/ and runs/ stay
	rm -rf .venv .venv-api .venv-bench .venv-bento .venv-docs .venv-fuzz .venv-infinity $(STAMPS) dist target build benches/data .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find benches deploy notebooks python tests -name __pycache__ -prune -exec rm -rf {} +
