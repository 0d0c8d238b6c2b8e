# `make demo` makes music, `make test` runs the tests; both make .venv first and install into it only when
# pyproject.toml or constraints.txt has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT ?= demo

.PHONY: demo test lint types bench system-test

demo: $(STAMP)
	$(BIN)/amt demo $(OUT)

test: $(STAMP)
	$(BIN)/python -m pytest -m "not system"

system-test: $(STAMP)
	$(BIN)/python -m pytest -m system

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python benchmarks/events.py
	$(BIN)/python benchmarks/analyse.py
	$(BIN)/python benchmarks/captions.py
	$(BIN)/python benchmarks/calibration.py
	$(BIN)/python benchmarks/sentences.py
	$(BIN)/python benchmarks/styles.py
	$(BIN)/python benchmarks/embed.py --repeats 1
	$(BIN)/python benchmarks/train.py
	$(BIN)/python benchmarks/overfit.py

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,dev]'
	touch $(STAMP)
