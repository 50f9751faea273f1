-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
{{ config(enabled='projects' not in var('datacamp_skip_endpoints', [])) }}

select
    project_id,
    name as topic_name,
    _fivetran_synced
    {{- datacamp_pass_through('project_topic') }}
from {{ datacamp_rows('project_topic') }}
where not coalesce(_fivetran_deleted, false)
