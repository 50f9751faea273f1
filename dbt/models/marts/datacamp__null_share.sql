-- Reads the sources, in order to include undeclared columns that DataCamp sent.
{%- set children = {
    'project': 'project_topic',
    'custom_track': 'custom_track_content',
    'track': 'track_content',
    'course': 'course_chapter',
} -%}
{%- set branches = [] -%}
{%- for kind in datacamp_kinds() -%}
    {%- for table in [kind, children[kind]] if table -%}
        {%- set rows = datacamp_rows(table) -%}
        {%- set found = datacamp_columns(source('datacamp', table)) -%}
        {%- for name in found or datacamp_declared(table) -%}
            {%- do branches.append((table, rows, name, adapter.quote(name) if found else name)) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endfor -%}

{% for table, rows, name, column in branches %}
{% if not loop.first %}union all{% endif %}
select
    '{{ table }}' as table_name,
    '{{ name | lower }}' as column_name,
    count(*) as row_count,
    count(*) - count({{ column }}) as null_count
from {{ rows }}
where not coalesce(_fivetran_deleted, false)
{% endfor %}
