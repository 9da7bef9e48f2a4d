# Two commands: `make quickstart` and `make test`. Both need only Python 3.10+ and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed
# A machine with a GPU takes the index's torch; `make ... TORCH_INDEX=https://download.pytorch.org/whl/cpu` takes the CPU build.
PIP_OPTIONS := -c constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: install quickstart test test-fast lint clean

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "dnahlm needs Python 3.10 or newer; found " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 ...")'
	@echo "installing into $(VENV) (a minute or two, once) ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_OPTIONS) torch
	$(BIN)/python -m pip install -qq --disable-pip-version-check $(PIP_OPTIONS) -e '.[deepspeed,dev]'
	@touch $(STAMP)

# make quickstart [DATA=folder] [OUTPUT=folder] [DEEPSPEED=1] [RESUME=1] [OVERWRITE=1]
quickstart: $(STAMP)
	$(BIN)/dnahlm quickstart $(if $(DATA),--data $(DATA) --output $(or $(OUTPUT),runs/tiny_real),--output $(or $(OUTPUT),runs/tiny)) $(if $(DEEPSPEED),--deepspeed) $(if $(RESUME),--resume) $(if $(OVERWRITE),--overwrite)

test: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -m "slow or not slow" --durations=10

test-fast: $(STAMP)
	$(BIN)/python -m pytest

lint: $(STAMP)
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) runs build dist
