{%- set with_topic = ['custom_track', 'track', 'course'] -%}
{%- set with_hours = ['project', 'custom_track', 'track', 'course'] -%}

{% for kind in ['assessment', 'practice', 'project', 'custom_track', 'track', 'course'] %}
select
    '{{ kind }}' as kind,
    {{ kind }}_id as item_id,
    title,
    description,
    technology,
    {{ 'topic_name' if kind in with_topic else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as topic_name,
    {{ 'time_needed_in_hours' if kind in with_hours else 'cast(null as ' ~ dbt.type_float() ~ ')' }} as time_needed_in_hours,
    url,
    live,
    updated_at,
    _fivetran_synced
from {{ ref('stg_datacamp__' ~ kind) }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
