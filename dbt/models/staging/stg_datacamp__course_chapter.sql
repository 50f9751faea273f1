-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
{{ config(enabled='courses' not in var('datacamp_skip_endpoints', [])) }}

select
    id as chapter_id,
    course_id,
    position,
    title as chapter_title,
    description,
    url,
    _fivetran_synced
    {{- datacamp_pass_through('course_chapter') }}
from {{ datacamp_rows('course_chapter') }}
where not coalesce(_fivetran_deleted, false)
