# `make run` and `make test` need only Python 3.11+ and make; everything else they install into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test coverage train-deps translations test-times test-slow lint docs screenshots bench audit demo clean system

run: $(VENV)/.installed-run
	$(BIN)/pronlab dashboard

# Four workers for two cores: many tests wait for a server, a browser or a job, while others have the cores.
SUITE := $(BIN)/python -m pytest -n 4 --dist loadgroup

test: $(VENV)/.installed-dev system
	$(SUITE)

# What trainings need: PyTorch and its like (on Linux with the libraries of an NVIDIA GPU: gigabytes). Says at the end
# whether the PyTorch that was installed fits this machine.
train-deps: $(VENV)/.installed-run
	$(BIN)/pip install -q -e ".[dashboard,serve,train,wakeword,search]"
	$(BIN)/pronlab doctor --only pytorch

# The tests of `make test`, and what of the code they run: half as long again, as each line is counted.
coverage: $(VENV)/.installed-dev system
	$(SUITE) --cov=pipeline --cov=dashboard --cov-report=term --cov-fail-under=85

# Also writes the slowest tests into the docs.
test-times: $(VENV)/.installed-dev system
	$(SUITE) -p tests.times --times docs/testing.md

# What takes long, or needs more than other tests: a Ray cluster on this machine.
test-slow: $(VENV)/.installed-dev
	$(BIN)/pip install -q -e ".[dev,ray]"
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The documentation as a site in build/site; nothing is fetched while it is built.
docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# The pictures of the documentation, from a demo installation of their own; needs chromium.
screenshots: $(VENV)/.installed-dev system
	$(BIN)/python docs/screenshots.py

bench: $(VENV)/.installed-bench
	$(BIN)/python -m tests.bench

# Findings in the code, a bill of materials (build/sbom.json) and known advisories of what is installed; needs a network.
audit: $(VENV)/.installed-run
	$(BIN)/pip install -q -e ".[audit]"
	$(BIN)/bandit -q -c pyproject.toml -r pipeline dashboard
	mkdir -p build
	$(BIN)/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --of JSON -o build/sbom.json
	$(BIN)/pip-audit --skip-editable --progress-spinner off

# Rebuilds the committed synthetic corpus; needs espeak-ng.
demo: $(VENV)/.installed-dev system
	$(BIN)/pronlab demo --build data/demo

# Debian's chromium (browser tests) and espeak-ng (rebuilding the demo corpus); tests skip with the reason without.
system:
	@.ci/system-packages

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-run: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -e ".[dashboard,serve]"
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -e ".[dev]"
	touch $@ $(VENV)/.installed-run

$(VENV)/.installed-bench: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -e ".[dev,bench]"
	touch $@ $(VENV)/.installed-dev $(VENV)/.installed-run

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache

# Reads every string of the code into the catalogues: new ones wait there for their translation.
translations: $(VENV)/.installed-dev
	mkdir -p build
	$(BIN)/pybabel -q extract -F babel.cfg -k _ -k N_ -k NN_:1,2 -k ngettext:1,2 -k pgettext:1c,2 --no-location --sort-output -o build/pronlab.pot .
	for file in pipeline/locales/*/LC_MESSAGES/pronlab.po; do \
	    language=$$(basename $$(dirname $$(dirname $$file))); \
	    $(BIN)/pybabel -q update -N --ignore-obsolete -D pronlab -i build/pronlab.pot -d pipeline/locales -l $$language; \
	done
