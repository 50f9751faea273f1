-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
{{ config(enabled='custom_tracks' not in var('datacamp_skip_endpoints', [])) }}

select
    custom_track_id,
    position,
    id as item_id,
    type as item_type,
    title as item_title,
    _fivetran_synced
    {{- datacamp_pass_through('custom_track_content') }}
from {{ datacamp_rows('custom_track_content') }}
where not coalesce(_fivetran_deleted, false)
