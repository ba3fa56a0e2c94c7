# Everything runs in .venv, which each target makes or brings up to date first. Nothing else is written outside this
# folder but the caches of uv or pip.
#
#   make setup PYTHON=python3.12    the interpreter, where the python3 on PATH will not do
#   make TARGET ARGS="…"            more arguments for the command behind the target

BIN := .venv/bin
STAMP := .venv/.complete
ARGS ?=
PYTHON ?=

# uv trusts what the system trusts, as pip does: a company's own certificates too. The second name is that of older uv.
UV_SYSTEM_CERTS ?= true
UV_NATIVE_TLS ?= true
# onnxruntime keeps a device id in the home folder and reports its use, unless it is told not to.
ORT_DISABLE_TELEMETRY := 1
# Other releases of packages, which experiments try.
DIAGTOOLS_CACHE ?= $(CURDIR)/.venv/cache
export UV_SYSTEM_CERTS UV_NATIVE_TLS ORT_DISABLE_TELEMETRY DIAGTOOLS_CACHE

.DEFAULT_GOAL := help
.PHONY: help setup investigate test check lab bench constraints clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

setup: $(STAMP) ## make .venv, or bring it up to date
$(STAMP): pyproject.toml constraints.txt scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup

investigate: setup ## the main job: a real indexing OOM, from kill to verified root cause
	$(BIN)/diagtools investigate indexing-oom $(ARGS)

test: setup ## all tests, the notebooks too
	$(BIN)/python -m pytest --nbmake tests notebooks $(ARGS)

check: setup ## style, types, layers, notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/lint_notebooks.py notebooks

lab: setup ## JupyterLab on the notebooks
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks $(ARGS)

bench: setup ## diagtools beside its peers, in one run
	$(BIN)/python -m benchmarks $(ARGS)

constraints: setup ## constraints.txt again from pyproject.toml; ARGS=--upgrade for the newest releases
	scripts/make-constraints $(ARGS)

clean: ## remove .venv, caches and build products; runs and postmortems stay
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
