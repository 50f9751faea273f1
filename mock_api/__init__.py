"""A local mock server of DataCamp's LMS Catalog API, for demos, tests and benchmarks."""
