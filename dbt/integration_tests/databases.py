"""The two databases in which `make dbt` builds the package from copies of the demo's tables."""

from __future__ import annotations

from contextlib import closing

import duckdb
import psycopg2
from conftest import PACKAGE
from psycopg2.extras import execute_values

DEMO = PACKAGE.parent / ".demo" / "connector" / "files" / "warehouse.db"
# https://fivetran.com/docs/destinations/postgresql
POSTGRES_TYPES = {
    "VARCHAR": "text",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "BOOLEAN": "boolean",
    "BIGINT": "bigint",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "JSON": "jsonb",
}


class DuckDB:
    """A file with the demo's tables in the schema `tester`."""

    name, settings = "duckdb", {}
    path = PACKAGE.parent / ".demo" / "dbt.duckdb"

    def __init__(self):
        self.path.unlink(missing_ok=True)
        self.run("CREATE SCHEMA tester")

    def connect(self):
        connection = duckdb.connect(str(self.path))
        connection.execute(f"ATTACH '{DEMO}' AS demo (READ_ONLY)")
        return connection

    def run(self, sql):
        """Run statements; return the column names and rows of the last one."""
        with closing(self.connect()) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            if "SCHEMA" not in sql:
                connection.execute("SET schema = 'tester'")
            connection.execute(sql)
            return [column[0] for column in connection.description], connection.fetchall()

    def copy(self, table, columns, limit):
        """Copy columns of a table of the demo."""
        names = ", ".join(columns)
        self.run(f"CREATE TABLE {table} AS SELECT {names} FROM demo.tester.{table} {limit}")


class PostgreSQL:
    """A server with the demo's tables in the schema `tester`."""

    name = "postgres"

    def __init__(self, socket):
        self.settings = {"DATACAMP_POSTGRES_SOCKET": socket}
        self.run("CREATE SCHEMA tester")

    def run(self, sql, rows=None):
        """Run statements; return the column names and rows of the last one."""
        socket = self.settings["DATACAMP_POSTGRES_SOCKET"]
        connection = psycopg2.connect(host=socket, user="postgres", dbname="postgres")
        with closing(connection), connection, connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'; SET search_path TO tester")
            if rows is not None:
                execute_values(cursor, sql, rows)
                return [], []
            cursor.execute(sql)
            names = [column.name for column in cursor.description or ()]
            return names, cursor.fetchall() if names else []

    def copy(self, table, columns, limit):
        """Copy columns of a table of the demo."""
        types = ", ".join(f"{name} {POSTGRES_TYPES[type_]}" for name, type_ in columns.items())
        self.run(f"CREATE TABLE {table} ({types})")
        with closing(duckdb.connect(str(DEMO), read_only=True)) as demo:
            sql = f"SELECT {', '.join(columns)} FROM tester.{table} {limit}"
            if rows := demo.execute(sql).fetchall():
                self.run(f"INSERT INTO {table} VALUES %s", rows)


def demo_tables():
    """Return the types of each table's columns in the demo's warehouse."""
    tables = {}
    with closing(duckdb.connect(str(DEMO), read_only=True)) as demo:
        for table, column, type_ in demo.execute(
            """
            SELECT table_name, column_name, data_type FROM information_schema.columns
            WHERE table_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY ordinal_position
            """
        ).fetchall():
            tables.setdefault(table, {})[column] = type_
    return tables
