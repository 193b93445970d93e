# `make` alone lists the targets. Everything runs in .venv, which `make venv` builds.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
RETRY := make $(or $(firstword $(MAKECMDGOALS)),venv) PYTHON=python3.11

.DEFAULT_GOAL := help
.PHONY: help venv verify test test-slow lint report proofs figures wheel-test clean distclean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

venv: $(VENV)/.installed  ## build .venv with PYTHON (default python3)

# An existing .venv is kept if it works, and made anew if its Python or its pip does not.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c '$(SUPPORTED)' 2>/dev/null || { \
	  echo "error: qrun-equiv needs Python 3.11 to 3.13, and '$(PYTHON)' is not one; name one that is: $(RETRY)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "error: '$(PYTHON)' has no venv module; install it (on Debian and Ubuntu: apt install python3-venv), or name another Python: $(RETRY)" >&2; exit 1; }
	@$(BIN)/python -c 'import pip; $(SUPPORTED)' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing qrun-equiv and its tested dependencies into $(VENV) (a minute or two, once)"
	@$(PIP_INSTALL) -e '.[test]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP_INSTALL) -e '.[dev]'
	@touch $@

verify: venv  ## verify the shipped catalogue
	$(BIN)/qrun-equiv verify

test: venv  ## run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: venv  ## run the slow tests
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-dev  ## check style, types and import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

report: venv  ## write the committed example report of the shipped catalogue again
	$(BIN)/qrun-equiv report --output reports/catalogue --study reports/approximation/study.csv

proofs: venv  ## check the Coq proofs (Debian's packages coq and libcoq-coquelicot)
	@command -v coqc >/dev/null || { echo "error: no coqc; on Debian and Ubuntu: apt install coq libcoq-coquelicot" >&2; exit 1; }
	$(BIN)/python tests/coq_audit.py

figures: venv  ## draw the README's picture again
	$(BIN)/python -m qrun_equiv.reporting.hero reports/pair.png

wheel-test: $(VENV)/.installed-dev  ## build the wheel, install it in an empty venv and use it
	bash tests/wheel_test.sh

clean:  ## remove what builds and tests left behind
	rm -rf build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean  ## remove .venv as well
	rm -rf $(VENV)
