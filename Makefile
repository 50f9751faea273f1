# Needs Python 3.10 or newer and make; everything else is installed into .venv.
PYTHON ?= python3
BIN := .venv/bin
PYTHONS := 3.10 3.11 3.12 3.13 3.14

.PHONY: help demo package dbt dbt-clouds test test-fast breakages test-pythons bench lakehouse lint check format clean

help:
	@echo "make demo          run two syncs against a mock server of DataCamp's API"
	@echo "make package       write dist/, the folder to deploy to Fivetran"
	@echo "make test          run all tests with coverage"
	@echo "make test-fast     run the unit tests (10 s)"
	@echo "make breakages     check that the tests catch bugs (5 minutes)"
	@echo "make test-pythons  run all tests on every supported Python that is installed"
	@echo "make bench         run the benchmarks (25 minutes; 4 with BENCH=--quick)"
	@echo "make lakehouse     write Iceberg tables and compare them (downloads 300 MB)"
	@echo "make dbt           build the dbt package on DuckDB and PostgreSQL from the demo's data"
	@echo "make dbt-clouds    compile it for four cloud warehouses (installs 850 MB)"
	@echo "make lint          check style and types"
	@echo "make check         run lint and test"
	@echo "make format        format the code"
	@echo "make clean         delete what these commands created"

.venv/installed: requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is required: make PYTHON=python3.11 ...")'
	@echo "Installing into .venv, which takes a minute ..."
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv-grpc/installed: requirements.txt devkit/requirements-grpc.txt
	@echo "Installing the gRPC generation of the SDK into .venv-grpc ..."
	@$(PYTHON) -m venv --clear .venv-grpc
	@.venv-grpc/bin/python -m pip install --quiet --disable-pip-version-check -r devkit/requirements-grpc.txt
	@touch $@

demo: .venv/installed
	@$(BIN)/python -m devkit.demo

package:
	@$(PYTHON) -m devkit.package

test-fast: .venv/installed
	$(BIN)/python -m pytest -q tests/unit

test: .venv/installed .venv-grpc/installed
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered

breakages: .venv/installed
	@$(BIN)/python -m devkit.breakages

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

.venv-dlt/installed: benchmarks/requirements-dlt.txt
	@$(PYTHON) -m venv --clear .venv-dlt
	@.venv-dlt/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements-dlt.txt
	@touch $@

bench: .venv/installed .venv-grpc/installed
	@$(MAKE) --silent .venv-dlt/installed || rm -rf .venv-dlt
	@$(BIN)/python -m benchmarks $(BENCH)

.venv-lakehouse/installed: requirements.txt lakehouse/requirements.txt lakehouse/requirements-duckdb.txt
	@echo "Installing into .venv-lakehouse, about 300 MB to download ..."
	@$(PYTHON) -m venv --clear .venv-lakehouse
	@.venv-lakehouse/bin/python -m pip install --quiet --disable-pip-version-check -r lakehouse/requirements.txt
	@.venv-lakehouse/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target .venv-lakehouse/overlay -r lakehouse/requirements-duckdb.txt
	@touch $@

lakehouse: .venv-lakehouse/installed
	@.venv-lakehouse/bin/python -m lakehouse

.venv-dbt/installed: dbt/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 14) and "dbt 1.11 supports Python 3.10 to 3.13: make PYTHON=python3.13 dbt")'
	@echo "Installing dbt into .venv-dbt, which takes a minute ..."
	@$(PYTHON) -m venv --clear .venv-dbt
	@.venv-dbt/bin/python -m pip install --quiet --disable-pip-version-check -r dbt/requirements.txt
	@touch $@

dbt: demo .venv-dbt/installed
	.venv-dbt/bin/python -m pytest -q dbt/integration_tests/test_package.py

.venv-dbt-clouds/installed: dbt/requirements-clouds.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 14) and "dbt 1.11 supports Python 3.10 to 3.13: make PYTHON=python3.13 dbt-clouds")'
	@echo "Installing dbt's adapters into .venv-dbt-clouds ..."
	@$(PYTHON) -m venv --clear .venv-dbt-clouds
	@.venv-dbt-clouds/bin/python -m pip install --quiet --disable-pip-version-check -r dbt/requirements-clouds.txt
	@touch $@

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
	rm -rf .venv .venv-* .bench .demo dbt/target dbt/logs dist .lakehouse .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
