"""Syncs into Apache Iceberg tables on this machine, compared with `fivetran debug`."""
