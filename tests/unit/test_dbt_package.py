"""The dbt package follows the connector; `make dbt` shows what it builds."""

from __future__ import annotations

import re

from async_client.version import VERSION
from devkit.package import PROJECT
from endpoints import ENDPOINTS

PACKAGE = PROJECT / "dbt"


def test_the_package_has_the_version_of_the_connector():
    """Both are released with the same commit."""
    project = (PACKAGE / "dbt_project.yml").read_text(encoding="utf-8")
    assert f"\nversion: {VERSION}\n" in project


def test_the_marts_have_the_kinds_and_child_tables_of_all_endpoints():
    """Models that read all catalogs find them in these lists."""
    macro = (PACKAGE / "macros" / "datacamp_kinds.sql").read_text(encoding="utf-8")
    kinds = dict(re.findall(r"'(\w+)': '(\w+)',", macro))
    assert kinds == {endpoint.name: endpoint.table.name for endpoint in ENDPOINTS}
    model = PACKAGE / "models" / "marts" / "datacamp__null_share.sql"
    children = dict(re.findall(r"'(\w+)': '(\w+)',", model.read_text(encoding="utf-8")))
    assert children == {
        endpoint.table.name: endpoint.child.table.name for endpoint in ENDPOINTS if endpoint.child
    }
