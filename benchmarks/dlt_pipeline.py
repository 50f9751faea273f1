"""The same catalogs with dlt, as its documentation suggests, into a DuckDB file.

Run by the Python of `.venv-grpc`, with the arguments of `benchmarks.worker`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source

from endpoints import ENDPOINTS


def main() -> None:
    """Replace every table by the contents of the response; print an empty `Run`."""
    _, folder, base_url, token = sys.argv[1:]
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    # Its default of five threads is one fewer than there are endpoints.
    os.environ["EXTRACT__WORKERS"] = str(len(ENDPOINTS))
    auth = {"type": "bearer", "token": token}
    settings = {
        "client": {"base_url": base_url, "auth": auth, "paginator": "single_page"},
        "resource_defaults": {"primary_key": "id", "write_disposition": "replace"},
        "resources": [
            {"name": each.name, "endpoint": {"path": each.path, "data_selector": "data"}}
            for each in ENDPOINTS
        ],
    }
    Path(folder).mkdir(exist_ok=True)
    destination = dlt.destinations.duckdb(f"{folder}/warehouse.duckdb")
    pipeline = dlt.pipeline("datacamp", folder, destination=destination, dataset_name="catalog")
    source = rest_api_source(settings, name="datacamp", parallelized=True)
    pipeline.run(source).raise_on_failed_jobs()
    print("{}")


if __name__ == "__main__":
    main()
