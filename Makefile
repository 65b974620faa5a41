.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PROTOS := $(shell find proto -name '*.proto')
WIRE := libs/wire/.generated
BASE ?= $(shell git rev-parse -q --verify origin/main || git rev-parse -q --verify main)
GROUNDED := libs/ccsds libs/providers libs/rows infra tests-contract
IMAGES := ingest propagation hazard alerting cli jobs

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

.venv/.installed: requirements.lock pyproject.toml
	@echo "creating the environment in .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q uv
	@$(BIN)/uv pip sync -q --python $(BIN)/python --compile-bytecode --require-hashes requirements.lock
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
	  --group ingest --group propagation --group hazard --group alerting --group cli --group jobs --group local --group dev \
	  --upgrade -o requirements.lock pyproject.toml
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group bench -c requirements.lock -o bench.lock pyproject.toml

demo: gen ## start the mesh, play a re-entry of the past, show the answer
	@$(BIN)/spacecom demo

test: gen ## lint, types, imports and every test that runs in minutes
	@$(MAKE) -s -j2 check kernels grounded
	@$(BIN)/pytest -n 2 libs/astro libs/tests services
	@$(BIN)/pytest -n 2 --dist loadgroup tests-e2e

grounded: check ## the tests of what flies nothing, while the kernels are compiled
	@$(BIN)/pytest $(GROUNDED)

unit: kernels ## the tests of libs, services and infra alone
	@$(BIN)/pytest -n 2 libs services infra

contract: gen ## the contracts alone: wire, deployment files, documents
	@$(BIN)/pytest tests-contract infra/tests

kernels: gen ## compile the kernels of the physics, once for a version of it
	@$(BIN)/python -m libs.astro.warm

check: gen ## lint, formatting, types, import contracts
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache

buf: infra/buf/node_modules ## lint the wire, and compare it with that of BASE (default main) for breaking changes
	@infra/buf/node_modules/.bin/buf lint
	@rm -rf build/wire-base && mkdir -p build/wire-base
	@if git cat-file -e "$(BASE):buf.yaml" 2>/dev/null; then \
	  git archive "$(BASE)" proto buf.yaml | tar -x -C build/wire-base && \
	  infra/buf/node_modules/.bin/buf breaking --against build/wire-base; \
	else echo "there is no branch main with a wire to compare with: linted only"; fi

infra/buf/node_modules: infra/buf/package-lock.json
	@npm ci --prefix infra/buf --silent --no-audit --no-fund && touch $@

docs: gen ## make the generated pages of docs/reference anew
	@$(BIN)/python -m infra.reference

up: gen ## start the mesh on this machine
	@$(BIN)/spacecom up

down: gen ## stop the mesh on this machine; its data is kept
	@$(BIN)/spacecom down

logs: gen ## follow the log of the mesh
	@$(BIN)/python -m infra.local logs

e2e: kernels ## the end-to-end tests alone
	@$(BIN)/pytest -n 2 --dist loadgroup tests-e2e

bench: gen .venv/.bench ## speed beside the best peers; one case by CASE=B1
	@$(BIN)/python -m libs.bench $(CASE)

.venv/.bench: .venv/.installed bench.lock
	@$(BIN)/uv pip install -q --python $(BIN)/python --no-deps --require-hashes -r bench.lock
	@touch $@

calibrate: gen ## fit the calibration of windows anew on the re-entries of SPACECOM_VALIDATION_DATA
	@$(BIN)/python -m services.replay.calibrate

backcast: gen ## predict the re-entries of the past as known then; figures and tables into docs/reference/backcast
	@$(BIN)/spacecom backcast --lagged --json docs/reference/backcast/kpi.json --figures docs/reference/backcast

closing: gen ## closing plans of the named case beside fixed corridors, the table of docs/how-to/close.md
	@$(BIN)/python -m services.hazard.closing_case

fuzz: gen ## new bytes for the gate, 60 s of them; what stops it is kept in build/fuzz
	@SPACECOM_FUZZ_SECONDS=60 $(BIN)/pytest services/ingest/tests/test_fuzz.py

test-postgis: gen /usr/lib/postgresql/15/lib/postgis-3.so ## airspace on Debian's Postgres with PostGIS, installed for it (needs root)
	@$(BIN)/pytest -m postgis services/ingest/tests/test_postgis.py

/usr/lib/postgresql/%/lib/postgis-3.so:
	@test "$$(id -u)" = 0 || { echo "PostGIS is not installed; as root: apt-get install postgresql-$*-postgis-3"; exit 1; }
	@DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql-$*-postgis-3 >/dev/null || \
	  { echo "the Debian package postgresql-$*-postgis-3 cannot be installed here; the tests with PostGIS did not run"; exit 1; }

torture: gen ## campaigns of hours, on demand
	@$(BIN)/pytest -m torture --timeout 7200
	@SPACECOM_TEST_KILLS=30 $(BIN)/pytest tests-e2e/test_survival.py

audit: holes licences secrets ## known holes in packages, their licences, secrets in the tree

holes: gen
	@$(BIN)/python -m infra.audit

licences: gen
	@$(BIN)/python -m infra.licences

secrets: gen
	@$(BIN)/python -m infra.leaks

images: ## one container image for each service (needs a Docker engine)
	@for service in $(IMAGES); do \
	  docker build -q -f infra/docker/service.Dockerfile --build-arg SERVICE=$$service -t spacecom/$$service:local . || exit 1; \
	done

sbom: gen ## what each image holds, as CycloneDX in build/sbom
	@mkdir -p build/sbom
	@for service in $(IMAGES); do \
	  $(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --group $$service -c requirements.lock -o build/sbom/$$service.txt pyproject.toml && \
	  $(BIN)/cyclonedx-py requirements --output-reproducible -o build/sbom/$$service.json build/sbom/$$service.txt || exit 1; \
	done

.PHONY: help gen lock demo test grounded unit contract kernels check buf docs up down logs e2e bench closing torture audit fuzz holes licences secrets images sbom test-postgis
