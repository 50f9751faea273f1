-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
{{ config(enabled='tracks' not in var('datacamp_skip_endpoints', [])) }}

select
    id as track_id,
    title,
    description,
    url,
    info_url,
    public_info_url,
    image_url_jpg,
    image_url_png,
    image_url_svg,
    technology,
    topic_name,
    topic_description,
    time_needed_in_hours,
    included_in_licenses,
    live as is_live,
    updated_at,
    _fivetran_synced
    {{- datacamp_pass_through('track') }}
from {{ datacamp_rows('track') }}
where not coalesce(_fivetran_deleted, false)
