-- Written by `python -m devkit.documents` from endpoints.py; change that instead.
select
    id as assessment_id,
    title,
    description,
    url,
    info_url,
    public_info_url,
    image_url_jpg,
    image_url_png,
    image_url_svg,
    technology,
    live,
    updated_at,
    _fivetran_synced
from {{ source('datacamp', 'assessment') }}
where not _fivetran_deleted
