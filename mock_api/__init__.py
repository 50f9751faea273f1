"""A local stand-in for DataCamp's LMS Catalog API, for demos, tests and benchmarks."""
