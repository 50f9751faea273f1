"""Sync into local Apache Iceberg tables and compare them with those of `fivetran debug`."""
