{%- set kinds = datacamp_kinds(['project', 'custom_track', 'track', 'course']) -%}
{{ config(enabled=kinds != []) }}

{% for kind in kinds %}
{% if not loop.first %}union all{% endif %}
select
    '{{ kind }}' as kind,
    {{ kind }}_id as item_id,
    topic_name
from {{ ref('stg_datacamp__project_topic' if kind == 'project' else 'stg_datacamp__' ~ kind) }}
where topic_name is not null
{% endfor %}
