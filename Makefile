# Everything a new clone needs is made on the way: a virtual environment, the pinned packages, the framework's CLI.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo flowers invoke serve bench test test-fast docs lint check format lock audit clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

# The image that `make invoke IMAGE=photo.jpg` sends, as API Gateway would send it.
IMAGE ?= $(firstword $(wildcard build/sample/7/*.png))
define EVENT
{"requestContext": {"stage": "dev"}, "path": "/v1/classify", "httpMethod": "POST", "headers": {"Content-Type": "application/octet-stream"}, "isBase64Encoded": true, "body": "%s"}
endef

demo: .venv/ready node_modules/ready ## the whole road on a fresh machine: images → trained model → the Lambda function's answer
	@echo; echo "1/4  A labelled sample set that needs no download"
	@$(BIN)/python -m training sample build/sample
	@echo; echo "2/4  Retrain, prove, publish (random backbone weights: nothing here reaches further than PyPI and npm)"
	@$(BIN)/python -m training retrain build/sample --name sample --store artifacts --weights random
	@echo; echo "3/4  Name images with the published model"
	@$(BIN)/python -m training predict artifacts/sample $$(ls build/sample/*/*.png | sed -n "1p;200p;400p")
	@echo; echo "4/4  serverless invoke local: the same through the Lambda function, as API Gateway would call it"
	@$(MAKE) --no-print-directory invoke
	@echo; echo "Next:"
	@echo "  make serve                                a page to drop images on"
	@echo "  make flowers                              the same on real photos and ImageNet weights (needs internet)"
	@echo "  .venv/bin/python -m training --help       your own images"
	@echo "  less docs/deploying.md                    your own endpoint on AWS"

flowers: .venv/ready ## the real thing, for a machine with internet: 3,670 flower photos, ImageNet weights
	@$(BIN)/python -m training flowers build
	@$(BIN)/python -m training retrain build/flower_photos_extracted/flower_photos --name flowers --store artifacts

invoke: .venv/ready node_modules/ready ## IMAGE=photo.jpg through `serverless invoke local`, MODEL_URI=artifacts/NAME for another model
	@test -n "$(MODEL_URI)" -o -d artifacts/sample || { echo "No model artifacts/sample (make demo makes it). Name yours: make invoke IMAGE=photo.jpg MODEL_URI=artifacts/NAME; there are: $(or $(notdir $(wildcard artifacts/*)),none)"; exit 1; }
	@test -r "$(IMAGE)" || { echo "No image: make invoke IMAGE=photo.jpg (or make demo first)"; exit 1; }
	@printf '$(subst $(newline),,$(EVENT))' "$$(base64 < "$(IMAGE)" | tr -d '\n')" > build/event.json
	@npx serverless invoke local -f classify --path build/event.json

HOST = 127.0.0.1
serve: .venv/ready ## the service on this machine, with the newest model of ./artifacts; PORT=8081 for another port, HOST=0.0.0.0 for other machines too
ifneq ($(HOST),127.0.0.1)
	@echo "HOST=$(HOST): whoever reaches this machine there may send images. There is no key unless API_KEYS is set, and no encryption: on a network that you trust, or behind a proxy."
endif
	@$(BIN)/python -m serving $(if $(filter-out 127.0.0.1,$(HOST)),--host $(HOST))

bench: .venv/bench-ready ## measure what docs/benchmarks.md shows, on this machine (about 15 minutes)
	@$(BIN)/python -m bench

test: .venv/ready node_modules/ready ## every test; ARGS="tests/model -k golden" for some of them
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

test-fast: .venv/ready ## the tests that need no training, no server and no browser, in less than 20 seconds
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not slow" $(ARGS)

docs: .venv/ready ## write the pages that are made from the code
	@$(BIN)/python -m ops.configuration && $(BIN)/python -m ops.cost && $(BIN)/python -m ops.scaling && $(BIN)/python -m tests.model.decoding.formats_table > docs/formats.md

lint: .venv/ready ## form, lint and types
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy

check: lint test ## form, lint, types and tests

format: .venv/ready ## put the code in its form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

# Hashes, so that what is installed is what was tested; constraints, so that every lock names the same versions.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --generate-hashes --upgrade pyproject.toml
lock: .venv/ready ## pin every package anew, from pyproject.toml
	$(LOCK) --extra serving --extra tensorflow -o requirements.txt
	$(LOCK) --extra serving -c requirements.txt -o requirements-litert.txt
	$(LOCK) --extra serving --extra server -c requirements.txt -o serving/requirements.txt
	$(LOCK) --extra training --extra tensorflow -c requirements.txt -o training/requirements.txt
	$(LOCK) --extra serving --extra server --extra training --extra tensorflow --extra ops --extra ray --extra dev -c requirements.txt -c serving/requirements.txt -c training/requirements.txt -o tests/requirements.txt
	$(LOCK) --extra bench -c tests/requirements.txt -o bench/requirements.txt

# --strict: a package that the index knows nothing of is an error, not a silence.
audit: .venv/ready ## ask PyPI whether the packages that are shipped have known vulnerabilities
	@for lock in requirements.txt serving/requirements.txt training/requirements.txt; do \
		$(BIN)/uv tool run --from pip-audit==2.10.0 pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r $$lock || exit 1; done

.venv/ready: tests/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "Python 3.11, 3.12 or 3.13 is needed, since TensorFlow has wheels for no newer one; name yours: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "This Python cannot make virtual environments. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the pinned packages into .venv (about 450 MB to download the first time) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement <(sed -n '/^uv==/,/# via/p' $<)
	@$(BIN)/uv pip install --quiet --compile-bytecode --require-hashes --python $(BIN)/python --requirement $<
	@touch $@

.venv/bench-ready: bench/requirements.txt .venv/ready
	@$(BIN)/uv pip install --quiet --require-hashes --python $(BIN)/python --requirement $<
	@touch $@

node_modules/ready: package-lock.json
	@command -v npm >/dev/null || { echo "npm is needed for the framework's CLI; install Node.js 20 or newer"; exit 1; }
	@npm ci --silent --no-audit --no-fund
	@touch $@

clean: ## remove what the other targets made, models included
	rm -rf .venv build artifacts runs node_modules .serverless
