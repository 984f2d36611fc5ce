# Two commands do everything on a fresh Debian or Ubuntu: `make demo` and `make test`.

VENV := .venv
BIN := $(VENV)/bin
CODE := actool acfetch acrun acstage1 spec/acspec

.PHONY: help setup test lint type check demo bench man clean

help:
	@echo 'make demo    build, sign, publish, fetch, verify and run an image, in namespaces of its own'
	@echo 'make test    all checks: lint, types, tests with coverage'
	@echo 'make bench   measure against runc, tar, gzip and sha512sum'
	@echo 'make lint | type | check | man | clean'

setup: $(VENV)/.stamp

# The stamp is newer than what the environment was made from, so that nothing is installed twice.
$(VENV)/.stamp: pyproject.toml setup.sh
	PYTHON='$(PYTHON)' sh ./setup.sh $(VENV)
	touch $@

test: lint type check

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: setup
	$(BIN)/mypy $(CODE)

check: setup
	sh ./tests/run.sh $(BIN)

demo: setup
	$(BIN)/python examples/demo/demo.py

bench: setup
	$(BIN)/python bench/run.py

man: setup
	$(BIN)/python docs/man/make.py
	$(BIN)/python docs/completion/make.py

clean:
	rm -rf $(VENV) .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
