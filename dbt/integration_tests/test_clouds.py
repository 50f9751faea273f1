"""The package compiles for databases on which it is not run; their SQL is read by sqlglot.

`make dbt-clouds` runs this in an environment with the adapters. Nothing connects to a database.
"""

from __future__ import annotations

import shutil

import pytest
import sqlglot
from conftest import PACKAGE, run_dbt

MODELS = {path.name for path in PACKAGE.glob("models/[!d]*/*.sql")}


def compiled(project, cloud):
    """Compile all models; return the exit status of dbt and its output."""
    offline = ("--no-introspect", "--no-populate-cache")
    return run_dbt(
        project, "compile", *offline, target=cloud, variables={"assume_incremental": True}
    )


@pytest.mark.parametrize("cloud", ["snowflake", "bigquery", "redshift", "databricks"])
def test_models_compile_to_sql_of_the_cloud_and_its_incremental_strategies(installed, cloud):
    status, output = compiled(installed, cloud)
    assert status == 0, output
    models = installed / "target" / cloud / "compiled" / "datacamp" / "models"
    read = {path.name for path in models.glob("*/*.sql")}
    assert read == MODELS - {"datacamp__null_share.sql"}
    for path in models.rglob("*.sql"):
        if path.is_file():
            assert len(sqlglot.parse(path.read_text(encoding="utf-8"), read=cloud)) == 1


def test_a_strategy_that_bigquery_does_not_have_would_be_an_error(installed, tmp_path):
    project = shutil.copytree(installed, tmp_path / "project", symlinks=True)
    with (project / "dbt_project.yml").open("a", encoding="utf-8") as file:
        file.write("      datacamp__first_seen:\n        +incremental_strategy: append\n")
    status, output = compiled(project, "bigquery")
    assert status != 0
    assert "Invalid incremental strategy provided: append" in output
