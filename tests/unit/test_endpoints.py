"""The six catalogs as data: what is fetched from where, into which tables, keys and columns."""

from __future__ import annotations

import pytest

from endpoints import ENDPOINTS
from flatten.names import RESERVED_PREFIX, column_name

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}

# name, path, parent table, its key, child field, child table, its key, foreign key
LAYOUT = [
    (
        "assessments",
        "/v1/catalog/live-assessments",
        ("assessment", ("id",)),
        None,
    ),
    (
        "practices",
        "/v1/catalog/live-practices",
        ("practice", ("id",)),
        None,
    ),
    (
        "projects",
        "/v1/catalog/live-projects",
        ("project", ("id",)),
        ("topics", "project_topic", ("project_id", "name"), "project_id", "name"),
    ),
    (
        "custom_tracks",
        "/v1/catalog/live-custom-tracks",
        ("custom_track", ("id",)),
        (
            "content",
            "custom_track_content",
            ("custom_track_id", "position"),
            "custom_track_id",
            "position",
        ),
    ),
    (
        "tracks",
        "/v1/catalog/live-tracks",
        ("track", ("id",)),
        (
            "content",
            "track_content",
            ("track_id", "position"),
            "track_id",
            "position",
        ),
    ),
    (
        "courses",
        "/v1/catalog/live-courses",
        ("course", ("id",)),
        ("chapters", "course_chapter", ("id", "course_id"), "course_id", "id"),
    ),
]

DESCRIBED = {
    "id": "STRING",
    "title": "STRING",
    "description": "STRING",
    "url": "STRING",
    "infoUrl": "STRING",
    "publicInfoUrl": "STRING",
    "imageUrl_jpg": "STRING",
    "imageUrl_png": "STRING",
    "imageUrl_svg": "STRING",
    "technology": "STRING",
}
TOPIC = {"topic_name": "STRING", "topic_description": "STRING"}
HOURS = {"timeNeededInHours": "DOUBLE"}
INSTRUCTORS = {"instructors": "STRING"}
LICENSES = {"includedInLicenses": "STRING"}
STATUS = {"live": "BOOLEAN", "updatedAt": "UTC_DATETIME"}
CONTENT = {"position": "LONG", "id": "STRING", "type": "STRING", "title": "STRING"}

# The fields that DataCamp's API is known to send for each type of content, as columns.
TYPES = {
    "assessment": {**DESCRIBED, **STATUS},
    "practice": {**DESCRIBED, **STATUS},
    "project": {**DESCRIBED, **HOURS, **INSTRUCTORS, **STATUS},
    "project_topic": {"project_id": "STRING", "name": "STRING"},
    "custom_track": {**DESCRIBED, **TOPIC, **HOURS, **STATUS},
    "custom_track_content": {"custom_track_id": "STRING", **CONTENT},
    "track": {**DESCRIBED, **TOPIC, **HOURS, **LICENSES, **STATUS},
    "track_content": {"track_id": "STRING", **CONTENT},
    "course": {**DESCRIBED, **TOPIC, **HOURS, **INSTRUCTORS, **LICENSES, **STATUS},
    "course_chapter": {
        "id": "STRING",
        "course_id": "STRING",
        "position": "LONG",
        "title": "STRING",
        "description": "STRING",
        "url": "STRING",
    },
}


def test_six_catalogs_are_replayed_lightest_first():
    """Order, paths, tables, keys and lists that become child tables are these and no others."""
    layout = [
        (
            endpoint.name,
            endpoint.path,
            (endpoint.table.name, endpoint.table.primary_key),
            endpoint.child
            and (
                endpoint.child.field,
                endpoint.child.table.name,
                endpoint.child.table.primary_key,
                endpoint.child.foreign_key,
                endpoint.child.key,
            ),
        )
        for endpoint in ENDPOINTS
    ]
    assert layout == LAYOUT


def test_ten_tables_have_every_known_column():
    """Each table has the columns that the API is known to fill, so ordered and so typed."""
    tables = {table.name: table for endpoint in ENDPOINTS for table in endpoint.tables}
    assert [(name, list(table.types.items())) for name, table in tables.items()] == [
        (name, list(types.items())) for name, types in TYPES.items()
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_columns_of_a_table_are_distinct_at_fivetran(endpoint):
    """No two columns get one name at Fivetran, none is Fivetran's own, and keys are columns."""
    for table in endpoint.tables:
        names = [column_name(column.name) for column in table.columns]
        assert len(set(names)) == len(names)
        assert not any(name.startswith(RESERVED_PREFIX) for name in names)
        assert set(table.primary_key) <= table.types.keys()
        assert all(column.meaning for column in table.columns)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("assessments", ("assessments", "live-assessments", "live_assessments")),
        ("practices", ("practices", "live-practices", "live_practices")),
        ("projects", ("projects", "live-projects", "live_projects")),
        (
            "custom_tracks",
            ("custom_tracks", "live-custom-tracks", "custom-tracks", "live_custom_tracks"),
        ),
        ("tracks", ("tracks", "live-tracks", "live_tracks")),
        ("courses", ("courses", "live-courses", "live_courses")),
    ],
)
def test_an_envelope_may_use_the_name_of_its_endpoint(name, expected):
    """A list is looked for under the endpoint's names, with and without live-, dashed or not."""
    assert BY_NAME[name].envelope_names == expected


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_no_envelope_name_is_shared(endpoint):
    """A list that is another endpoint's is never taken for one's own."""
    others = {
        name for other in ENDPOINTS if other is not endpoint for name in other.envelope_names
    }
    assert others.isdisjoint(endpoint.envelope_names)
