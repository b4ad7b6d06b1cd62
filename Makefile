# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SITE_STAMP := $(VENV)/.site-installed

.PHONY: demo test test-slow quick lint types site clean

demo: $(STAMP)
	$(BIN)/penjing demo $(if $(ONCE),--once)

# What serves, what measures time and what gets signals has the machine and the process to itself. A test that ends its
# worker ends the run: with a new worker pytest-xdist waits for ever.
ALONE := tests/serve tests/measure tests/cli/test_interrupts.py
test: $(STAMP) lint types
	$(BIN)/python -m pytest -m "not whole" -n 2 --dist loadfile --max-worker-restart=0 $(ALONE:%=--ignore=%)
	$(BIN)/python -m pytest -m "not whole" $(ALONE)

# Whole runs, faults and attacks, and every test that was measured at two seconds or more (tests/measured_times.py).
test-slow: $(STAMP)
	$(BIN)/python -m pytest -m whole -n 2 --dist worksteal --max-worker-restart=0 $(ALONE:%=--ignore=%)
	$(BIN)/python -m pytest -m whole $(ALONE)

# What takes little time, without the rooms that mostly train, serve or make releases, and without the files that were
# measured at more than half a second.
FAR := model train tune compress pretrain make serve bench bases checks engines runtime
quick: $(STAMP)
	$(BIN)/python -m pytest -m "not slow and not whole" -n 2 --dist loadfile $(FAR:%=--ignore=tests/%) \
	  $(addprefix --ignore=,$(shell cat tests/slow_files.txt))

lint: $(STAMP)
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

# The pages of docs/ as a static site in two languages, build/site/index.html. Its packages are installed for it alone.
site: $(SITE_STAMP)
	$(BIN)/python docs/site/build.py

$(SITE_STAMP): $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	touch $@

# torch comes first and alone, so that no later package pulls in a build with CUDA.
$(STAMP): pyproject.toml constraints.txt bases/small/pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Penjing needs Python 3.11 or later; set PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,dev]' -e ./bases/small
	touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
