"""The package compiles for databases on which it is not run; their SQL is read by sqlglot.

`make dbt-clouds` runs this in an environment with the adapters. Nothing connects to a database.
"""

from __future__ import annotations

import pytest
import sqlglot
from conftest import PACKAGE, run_dbt

MODELS = {path.name for path in PACKAGE.glob("models/[!d]*/*.sql")}
every_cloud = pytest.mark.parametrize("cloud", ["snowflake", "bigquery", "redshift", "databricks"])


@every_cloud
def test_the_compiled_models_are_sql_of_the_cloud(installed, cloud):
    status, output = run_dbt(
        installed,
        *("compile", "--no-introspect", "--no-populate-cache"),
        target=cloud,
        variables={"assume_incremental": True},
    )
    assert status == 0, output
    models = installed / "target" / cloud / "compiled" / "datacamp" / "models"
    read = {path.name for path in models.glob("*/*.sql")}
    assert read == MODELS - {"datacamp__null_share.sql"}
    for path in models.rglob("*.sql"):
        if path.is_file():
            assert len(sqlglot.parse(path.read_text(encoding="utf-8"), read=cloud)) == 1


@every_cloud
def test_the_adapter_accepts_the_incremental_strategy(installed, cloud):
    status, output = run_dbt(
        installed, "run-operation", "validate_incremental_strategy", target=cloud
    )
    assert status == 0, output


def test_bigquery_rejects_the_strategy_append(installed):
    status, output = run_dbt(
        installed,
        *("run-operation", "validate_incremental_strategy"),
        target="bigquery",
        variables={"strategy": "append"},
    )
    assert status != 0
    assert "Invalid incremental strategy provided: append" in output
