-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
select
    project_id,
    name,
    _fivetran_synced
from {{ source('datacamp', 'project_topic') }}
where not _fivetran_deleted
