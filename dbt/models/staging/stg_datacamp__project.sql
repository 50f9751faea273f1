-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
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
    live,
    updated_at,
    _fivetran_synced
from {{ source('datacamp', 'project') }}
where not _fivetran_deleted
