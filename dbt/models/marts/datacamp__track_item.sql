{% for kind in ['custom_track', 'track'] %}
select
    '{{ kind }}' as track_kind,
    track.{{ kind }}_id as track_id,
    track.title as track_title,
    content.position,
    content.item_id,
    content.type as item_type,
    item.kind as item_kind,
    coalesce(item.title, content.title) as item_title,
    item.technology as item_technology,
    item.time_needed_in_hours as item_time_needed_in_hours,
    item.item_id is not null as is_in_catalog
from {{ ref('stg_datacamp__' ~ kind ~ '_content') }} as content
inner join {{ ref('stg_datacamp__' ~ kind) }} as track
    on track.{{ kind }}_id = content.{{ kind }}_id
left join {{ ref('datacamp__catalog_item') }} as item
    on item.item_id = content.item_id
{% if not loop.last %}union all{% endif %}
{% endfor %}
