"""The same catalogs with dlt, as its documentation suggests: run by the Python of `.venv-dlt`.

Its arguments are the API's address, the token, a folder, and the endpoints' paths as JSON.
"""

from __future__ import annotations

import json
import sys

import dlt
from dlt.sources.rest_api import rest_api_source


def main() -> None:
    """Replace every table by what the API answers."""
    base_url, token, folder, paths = sys.argv[1:]
    source = rest_api_source(
        {
            "client": {
                "base_url": base_url,
                "auth": {"type": "bearer", "token": token},
                "paginator": "single_page",
            },
            "resource_defaults": {"primary_key": "id", "write_disposition": "replace"},
            "resources": [
                {"name": name, "endpoint": {"path": path, "data_selector": "data"}}
                for name, path in json.loads(paths).items()
            ],
        },
        name="datacamp",
        parallelized=True,
    )
    pipeline = dlt.pipeline(
        "datacamp",
        pipelines_dir=folder,
        destination=dlt.destinations.duckdb(f"{folder}/warehouse.duckdb"),
        dataset_name="catalog",
    )
    pipeline.run(source).raise_on_failed_jobs()


if __name__ == "__main__":
    main()
