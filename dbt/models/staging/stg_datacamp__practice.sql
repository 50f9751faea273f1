-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
{{ config(enabled='practices' not in var('datacamp_skip_endpoints', [])) }}

select
    id as practice_id,
    title,
    description,
    url,
    info_url,
    public_info_url,
    image_url_jpg,
    image_url_png,
    image_url_svg,
    technology,
    live as is_live,
    updated_at,
    _fivetran_synced
    {{- datacamp_pass_through('practice') }}
from {{ datacamp_rows('practice') }}
where not coalesce(_fivetran_deleted, false)
