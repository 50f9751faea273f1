-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
{{ config(enabled='tracks' not in var('datacamp_skip_endpoints', [])) }}

select
    track_id,
    position,
    id as item_id,
    type as item_type,
    title as item_title,
    _fivetran_synced
    {{- datacamp_pass_through('track_content') }}
from {{ datacamp_rows('track_content') }}
where not coalesce(_fivetran_deleted, false)
