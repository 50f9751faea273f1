-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
select
    id as chapter_id,
    course_id,
    position,
    title,
    description,
    url,
    _fivetran_synced
from {{ source('datacamp', 'course_chapter') }}
where not _fivetran_deleted
