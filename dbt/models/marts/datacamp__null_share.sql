-- Reads the sources, in order to include undeclared columns that DataCamp sent.
{%- set tables = [
    'assessment', 'practice', 'project', 'project_topic', 'custom_track',
    'custom_track_content', 'track', 'track_content', 'course', 'course_chapter',
] -%}

{% for table in tables %}
{%- set source_table = source('datacamp', table) -%}
{%- set columns = adapter.get_columns_in_relation(source_table) if execute else [] -%}
{% for column in columns %}
select
    '{{ table }}' as table_name,
    '{{ column.name | lower }}' as column_name,
    count(*) as row_count,
    count(*) - count({{ adapter.quote(column.name) }}) as null_count
from {{ source_table }}
where not _fivetran_deleted
{% if not loop.last %}union all{% endif %}
{% endfor %}
{% if not loop.last %}union all{% endif %}
{% endfor %}
