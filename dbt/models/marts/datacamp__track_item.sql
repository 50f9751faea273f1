{%- set track_kinds = datacamp_kinds(['custom_track', 'track']) -%}
{{ config(enabled=track_kinds != []) }}

with item as (
    select *
    from {{ ref('datacamp__catalog_item') }}
),

place as (
    {% for kind in track_kinds -%}
    {% if not loop.first %}union all{% endif %}
    select
        '{{ kind }}' as track_kind,
        {{ kind }}_id as track_id,
        position,
        item_id,
        item_type,
        item_title
    from {{ ref('stg_datacamp__' ~ kind ~ '_content') }}
    {% endfor %}
),

-- A place states the id of its item. If several kinds have that id, the stated type decides.
matched as (
    select
        place.track_kind,
        place.track_id,
        track.title as track_title,
        place.position,
        place.item_id,
        place.item_type,
        item.kind as item_kind,
        coalesce(item.title, place.item_title) as item_title,
        item.technology as item_technology,
        item.time_needed_in_hours as item_time_needed_in_hours,
        coalesce(not item.is_retired, false) as is_in_catalog,
        coalesce(item.is_retired, false) as is_retired,
        row_number() over (
            partition by place.track_kind, place.track_id, place.position
            order by
                case when item.kind = place.item_type then 0 else 1 end,
                case when item.is_retired then 1 else 0 end,
                item.kind
        ) as preference
    from place
    inner join item as track
        on track.kind = place.track_kind
            and track.item_id = place.track_id
            and not track.is_retired
    left join item
        on item.item_id = place.item_id
)

select
    track_kind,
    track_id,
    track_title,
    position,
    item_id,
    item_type,
    item_kind,
    item_title,
    item_technology,
    item_time_needed_in_hours,
    is_in_catalog,
    is_retired
from matched
where preference = 1
