# make train | make test | make check: each sets up .venv the first time and reuses it afterwards.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Half of the suite's time is processes that start; a file's tests share what they made.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: help setup train play test slow check format
help:
	@echo "make train [ARGS='trainer.devices=2 ...']   set up once, then train"
	@echo "make play [ARGS='generator=RUN ...']        set up once, then a page to play with"
	@echo "make test                                   set up once, then run the tests"
	@echo "make check                                  ruff, types, tests (what CI runs)"
	@echo "make slow                                   the long tests"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is older than 3.11: run make PYTHON=python3.12 (or newer)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(READY)

train: $(READY)
	$(BIN)/python train.py $(ARGS)

play: $(READY)
	@$(BIN)/python -m gan_lightning.page $(ARGS)

test: $(READY)
	$(PYTEST) $(ARGS)

slow: $(READY)
	$(BIN)/python -m pytest -m slow $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
