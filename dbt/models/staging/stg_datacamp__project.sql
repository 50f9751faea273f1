-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
{{ config(enabled='projects' not in var('datacamp_skip_endpoints', [])) }}

select
    id as project_id,
    title,
    description,
    url,
    info_url,
    public_info_url,
    image_url_jpg,
    image_url_png,
    image_url_svg,
    technology,
    time_needed_in_hours,
    instructors,
    live as is_live,
    updated_at,
    _fivetran_synced
    {{- datacamp_pass_through('project') }}
from {{ datacamp_rows('project') }}
where not coalesce(_fivetran_deleted, false)
