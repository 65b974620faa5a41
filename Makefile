.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PROTOS := $(shell find proto -name '*.proto')
WIRE := libs/wire/.generated

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.venv/.installed: requirements.lock pyproject.toml
	@echo "creating the environment in .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	@mkdir -p libs/wire
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(WIRE): .venv/.installed $(PROTOS)
	@rm -rf libs/wire && mkdir -p libs/wire
	@$(BIN)/python -m grpc_tools.protoc -Iproto --python_out=libs/wire --grpc_python_out=libs/wire \
	  --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	  --mypy_out=quiet:libs/wire --mypy_grpc_out=quiet:libs/wire $(PROTOS)
	@touch $@

gen: $(WIRE) ## environment and generated wire code

lock: ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group ingest --group propagation --group hazard --group alerting --group cli --group local --group dev \
	  --upgrade -o requirements.lock pyproject.toml

.PHONY: help gen lock
