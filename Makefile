# Everything a new clone needs is made on the way: a virtual environment, the pinned packages, the framework's CLI.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo flowers test check format lock clean

help: ## this list
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/ready ## the whole road on a fresh machine: sample images → trained model → a prediction
	@$(BIN)/python -m training sample build/sample
	@$(BIN)/python -m training retrain build/sample --name sample --store artifacts --weights random
	@$(BIN)/python -m training predict artifacts/sample $$(ls build/sample/*/*.png | head -n 3)

test: .venv/ready ## every test
	@$(BIN)/python -m pytest

check: .venv/ready ## format, lint, types, tests
	@$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/mypy && $(BIN)/python -m pytest

format: .venv/ready ## put the code in its form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header pyproject.toml
lock: .venv/ready ## pin every package anew, from pyproject.toml
	$(LOCK) --extra tensorflow --upgrade -o requirements.txt
	$(LOCK) -c requirements.txt -o requirements-litert.txt
	$(LOCK) --extra training --extra tensorflow -c requirements.txt -o training/requirements.txt
	$(LOCK) --extra server -c requirements.txt -o serving/requirements.txt
	$(LOCK) --all-extras -c training/requirements.txt -c serving/requirements.txt -o tests/requirements.txt

.venv/ready: tests/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || { echo "This Python cannot make virtual environments. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the pinned packages into .venv (about 450 MB to download the first time) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	@$(BIN)/uv pip install --quiet --python $(BIN)/python -r tests/requirements.txt
	@touch $@

clean: ## remove what the other targets made, models included
	rm -rf .venv build artifacts node_modules .serverless
