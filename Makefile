# Two commands that need only Python (3.11 or later) and make: each sets up its own virtual environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# CUDA wheels where an NVIDIA driver answers.
HAS_GPU := $(shell nvidia-smi -L >/dev/null 2>&1 && echo yes)
comma := ,

.PHONY: help test train lint bench clean

help:
	@echo "make test   install what the tests need and run them"
	@echo "make train  train an agent with PPO for a million decisions and evaluate it (runs/ppo)"
	@echo "make lint   ruff and mypy"
	@echo "make bench  benchmarks of whole games, the random generator, the seed search and scoring"

$(BIN)/python:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "jaxtro needs Python 3.11 or later"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/.dev: $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.train: $(BIN)/python pyproject.toml
	$(BIN)/pip install --quiet --editable '.[train$(if $(HAS_GPU),$(comma)cuda)]'
	@touch $@

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python experiments/bench.py
	$(BIN)/python experiments/bench.py rng
	$(BIN)/python experiments/bench.py scoring

train: $(VENV)/.train
	$(BIN)/python experiments/ppo.py --total-steps 1000000 --out-dir runs/ppo $(if $(wildcard runs/ppo/last/*/commit_success.txt),--resume)

clean:
	rm -rf $(VENV) .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis
