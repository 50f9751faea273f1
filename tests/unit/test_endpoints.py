"""The six catalogs as data: their paths, tables and keys.

The columns, with types, stand in docs/tables.md too, which a test compares.
"""

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


def layout(endpoint):
    table, child = endpoint.table, endpoint.child
    yield f"{endpoint.name}: {endpoint.path}, {table.name} by {' + '.join(table.primary_key)}"
    if child is not None:
        key = " + ".join(child.table.primary_key)
        yield f"  {child.field}: {child.table.name} by {key}, of {child.foreign_key}, {child.key}"


def test_six_catalogs_are_replayed_smallest_first():
    lines = [line for endpoint in ENDPOINTS for line in layout(endpoint)]
    assert lines == LAYOUT.strip().splitlines()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_columns_have_distinct_names_at_fivetran(endpoint):
    for table in endpoint.tables:
        names = {column_name(column.name) for column in table.columns if column.meaning}
        assert len(names) == len(table.columns)
        assert not any(name.startswith(RESERVED_PREFIX) for name in names)
