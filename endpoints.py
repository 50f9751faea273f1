"""The six DataCamp catalogs as data: their URL paths, tables, keys and columns.

`ENDPOINTS` defines the schema, the requests, the replay order and the generated documentation.
Paths, fields and types are those of DataCamp's LMS Catalog API.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Column:
    """A column: its name as the API spells it, its Fivetran type and its description."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """A destination table: its name, its primary key and its declared columns."""

    name: str
    primary_key: tuple[str, ...]
    columns: tuple[Column, ...]

    @cached_property
    def types(self) -> dict[str, str]:
        """Return the Fivetran type of each column, in declared order."""
        return {column.name: column.type for column in self.columns}


@dataclass(frozen=True)
class Child:
    """A list in an item that has its own table.

    `field` is the list and `foreign_key` the column with the parent's id. `CHILD_RULES` in
    `flatten.rules` turns the list into child objects.
    """

    field: str
    table: Table
    foreign_key: str

    @cached_property
    def key(self) -> str:
        """Return the part of the primary key that is not the foreign key."""
        (key,) = (name for name in self.table.primary_key if name != self.foreign_key)
        return key


@dataclass(frozen=True)
class Endpoint:
    """A catalog: its name in configuration, state and logs, its URL path and its tables."""

    name: str
    path: str
    table: Table
    child: Child | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the parent table and the child table, if there is one."""
        return (self.table,) if self.child is None else (self.table, self.child.table)


def _text(name: str, meaning: str) -> Column:
    return Column(name, "STRING", meaning)


def _number(name: str, meaning: str) -> Column:
    return Column(name, "DOUBLE", meaning)


_ID = _text("id", "DataCamp's id, opaque text")
_DESCRIBED = (
    _ID,
    _text("title", "title shown to learners"),
    _text("description", "what it teaches"),
    _text("url", "where a learner starts it"),
    _text("infoUrl", "page that describes it"),
    _text("publicInfoUrl", "public page that describes it"),
    _text("imageUrl_jpg", "address of its picture, JPEG"),
    _text("imageUrl_png", "address of its picture, PNG"),
    _text("imageUrl_svg", "address of its picture, SVG"),
    _text("technology", "technology taught, such as Python"),
)
_TOPIC = (
    _text("topic_name", "name of its topic"),
    _text("topic_description", "description of its topic"),
)
_HOURS = (_number("timeNeededInHours", "hours that a learner needs"),)
_INSTRUCTORS = (_text("instructors", "names of its instructors, separated by commas"),)
_LICENSES = (_text("includedInLicenses", "licenses that include it, separated by commas"),)
_STATUS = (
    Column(
        "live",
        "BOOLEAN",
        "whether learners could take it when it was last in the catalog; "
        "a deleted row keeps its last value",
    ),
    Column("updatedAt", "UTC_DATETIME", "when DataCamp last changed it, in UTC"),
)
_POSITION = Column("position", "LONG", "place in the list of its parent, to sort by")


def _content(parent: str) -> Child:
    foreign_key = f"{parent}_id"
    return Child(
        field="content",
        table=Table(
            name=f"{parent}_content",
            primary_key=(foreign_key, "position"),
            columns=(
                _text(foreign_key, f"id of the {parent.replace('_', ' ')} it belongs to"),
                _POSITION,
                _text("id", "id of the course, project or other item in that place"),
                _text("type", "kind of that item, such as course"),
                _text("title", "title of that item"),
            ),
        ),
        foreign_key=foreign_key,
    )


# Replay order, smallest first: small catalogs are written while large ones are downloading.
ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        name="assessments",
        path="/v1/catalog/live-assessments",
        table=Table("assessment", ("id",), (*_DESCRIBED, *_STATUS)),
    ),
    Endpoint(
        name="practices",
        path="/v1/catalog/live-practices",
        table=Table("practice", ("id",), (*_DESCRIBED, *_STATUS)),
    ),
    Endpoint(
        name="projects",
        path="/v1/catalog/live-projects",
        table=Table("project", ("id",), (*_DESCRIBED, *_HOURS, *_INSTRUCTORS, *_STATUS)),
        child=Child(
            field="topics",
            table=Table(
                name="project_topic",
                primary_key=("project_id", "name"),
                columns=(
                    _text("project_id", "id of the project it belongs to"),
                    _text("name", "name of the topic"),
                ),
            ),
            foreign_key="project_id",
        ),
    ),
    Endpoint(
        name="custom_tracks",
        path="/v1/catalog/live-custom-tracks",
        table=Table("custom_track", ("id",), (*_DESCRIBED, *_TOPIC, *_HOURS, *_STATUS)),
        child=_content("custom_track"),
    ),
    Endpoint(
        name="tracks",
        path="/v1/catalog/live-tracks",
        table=Table("track", ("id",), (*_DESCRIBED, *_TOPIC, *_HOURS, *_LICENSES, *_STATUS)),
        child=_content("track"),
    ),
    Endpoint(
        name="courses",
        path="/v1/catalog/live-courses",
        table=Table(
            "course",
            ("id",),
            (*_DESCRIBED, *_TOPIC, *_HOURS, *_INSTRUCTORS, *_LICENSES, *_STATUS),
        ),
        child=Child(
            field="chapters",
            table=Table(
                name="course_chapter",
                primary_key=("id", "course_id"),
                columns=(
                    _ID,
                    _text("course_id", "id of the course it belongs to"),
                    _POSITION,
                    _text("title", "title of the chapter"),
                    _text("description", "what the chapter teaches"),
                    _text("url", "where a learner starts the chapter"),
                ),
            ),
            foreign_key="course_id",
        ),
    ),
)
