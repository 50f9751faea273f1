-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
select
    track_id,
    position,
    id as item_id,
    type,
    title,
    _fivetran_synced
from {{ source('datacamp', 'track_content') }}
where not _fivetran_deleted
