"""The six catalogs as data: their paths, tables, keys and columns."""

from __future__ import annotations

import pytest

from endpoints import ENDPOINTS
from flatten.names import RESERVED_PREFIX, column_name

LAYOUT = """
assessments: /v1/catalog/live-assessments, assessment by id
practices: /v1/catalog/live-practices, practice by id
projects: /v1/catalog/live-projects, project by id
  topics: project_topic by project_id + name, of project_id, name
custom_tracks: /v1/catalog/live-custom-tracks, custom_track by id
  content: custom_track_content by custom_track_id + position, of custom_track_id, position
tracks: /v1/catalog/live-tracks, track by id
  content: track_content by track_id + position, of track_id, position
courses: /v1/catalog/live-courses, course by id
  chapters: course_chapter by id + course_id, of course_id, id
"""


def texts(names):
    return dict.fromkeys(names.split(), "STRING")


DESCRIBED = texts("id title description url infoUrl publicInfoUrl")
DESCRIBED |= texts("imageUrl_jpg imageUrl_png imageUrl_svg technology")
TOPIC = texts("topic_name topic_description")
HOURS = {"timeNeededInHours": "DOUBLE"}
INSTRUCTORS = texts("instructors")
LICENSES = texts("includedInLicenses")
STATUS = {"live": "BOOLEAN", "updatedAt": "UTC_DATETIME"}
POSITION = {"position": "LONG"}
CONTENT = {**POSITION, **texts("id type title")}
CHAPTER = {**texts("id course_id"), **POSITION, **texts("title description url")}

# The fields that DataCamp's API is known to send, as columns.
TYPES = {
    "assessment": {**DESCRIBED, **STATUS},
    "practice": {**DESCRIBED, **STATUS},
    "project": {**DESCRIBED, **HOURS, **INSTRUCTORS, **STATUS},
    "project_topic": texts("project_id name"),
    "custom_track": {**DESCRIBED, **TOPIC, **HOURS, **STATUS},
    "custom_track_content": {"custom_track_id": "STRING", **CONTENT},
    "track": {**DESCRIBED, **TOPIC, **HOURS, **LICENSES, **STATUS},
    "track_content": {"track_id": "STRING", **CONTENT},
    "course": {**DESCRIBED, **TOPIC, **HOURS, **INSTRUCTORS, **LICENSES, **STATUS},
    "course_chapter": CHAPTER,
}


def layout(endpoint):
    table, child = endpoint.table, endpoint.child
    yield f"{endpoint.name}: {endpoint.path}, {table.name} by {' + '.join(table.primary_key)}"
    if child is not None:
        key = " + ".join(child.table.primary_key)
        yield f"  {child.field}: {child.table.name} by {key}, of {child.foreign_key}, {child.key}"


def test_six_catalogs_are_replayed_smallest_first():
    lines = [line for endpoint in ENDPOINTS for line in layout(endpoint)]
    assert lines == LAYOUT.strip().splitlines()


def test_ten_tables_have_every_known_column():
    tables = {table.name: table for endpoint in ENDPOINTS for table in endpoint.tables}
    assert [(name, list(table.types.items())) for name, table in tables.items()] == [
        (name, list(types.items())) for name, types in TYPES.items()
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_columns_have_distinct_names_at_fivetran(endpoint):
    for table in endpoint.tables:
        names = {column_name(column.name) for column in table.columns if column.meaning}
        assert len(names) == len(table.columns)
        assert not any(name.startswith(RESERVED_PREFIX) for name in names)
