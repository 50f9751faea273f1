-- Reads the sources instead of the staging models, which have no retired items.
{%- set with_topic = ['custom_track', 'track', 'course'] -%}
{%- set with_hours = ['project', 'custom_track', 'track', 'course'] -%}

{% for kind in datacamp_kinds() %}
{% if not loop.first %}union all{% endif %}
select
    '{{ kind }}' as kind,
    id as item_id,
    {{ datacamp_item_number('id') }} as item_number,
    title,
    description,
    technology,
    {{ 'topic_name' if kind in with_topic else datacamp_null('STRING') }} as topic_name,
    {{ 'time_needed_in_hours' if kind in with_hours else datacamp_null('DOUBLE') }} as time_needed_in_hours,
    url,
    case when _fivetran_deleted then false else live end as is_live,
    coalesce(_fivetran_deleted, false) as is_retired,
    case when _fivetran_deleted then _fivetran_synced end as retired_at,
    updated_at,
    _fivetran_synced
from {{ datacamp_rows(kind) }}
{% endfor %}
