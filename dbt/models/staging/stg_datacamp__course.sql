-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
select
    id as course_id,
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
    instructors,
    included_in_licenses,
    live,
    updated_at,
    _fivetran_synced
from {{ source('datacamp', 'course') }}
where not _fivetran_deleted
