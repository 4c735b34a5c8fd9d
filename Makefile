# `make demo` and `make test` do all the set-up themselves: they need Python >= 3.11 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow test-browser lint types warm bench page docs clean

demo: $(VENV)/runtime.stamp
	$(BIN)/provgrid demo

# The kernels compile on one core while the other one checks types; then the tests have both.
test: lint
	$(MAKE) --no-print-directory -j 2 warm types
	$(BIN)/python -m pytest -n 2 --dist worksteal
	@echo "not among these: slow tests (make test-slow), and pages in Chromium (make test-browser)"

test-slow: $(VENV)/dev.stamp $(VENV)/docs.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

# Pages in the system's Chromium, which is installed where that can be done without asking; else they are skipped.
test-browser: $(VENV)/browser.stamp $(VENV)/docs.stamp
	sh tests/browser/install_chromium.sh
	$(BIN)/python -m pytest -m browser

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

warm: $(VENV)/dev.stamp
	$(BIN)/python -c 'from provgrid_optimizer.heuristic.warm import warm_up; warm_up()'

# Hours. Stopped at any time, it goes on where it was; PROVGRID_DATA names the folder above gap/ of the OR-Library.
bench: $(VENV)/runtime.stamp
	$(BIN)/provgrid bench all
	$(MAKE) --no-print-directory page

page: $(VENV)/runtime.stamp
	$(BIN)/provgrid bench page
	$(BIN)/provgrid facts --page > docs/where-the-numbers-come-from.md

# A warning is an error; nothing is fetched, and the site opens from disk: build/docs/index.html.
docs: $(VENV)/docs.stamp
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "provgrid needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[view]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/runtime.stamp

$(VENV)/browser.stamp: pyproject.toml | $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[browser]'
	@touch $@

$(VENV)/docs.stamp: pyproject.toml | $(VENV)/runtime.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@
