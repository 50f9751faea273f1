{{ config(enabled=datacamp_kinds(['custom_track', 'track']) != []) }}

with track as (
    select *
    from {{ ref('datacamp__catalog_item') }}
    where kind in ('custom_track', 'track') and not is_retired
),

content as (
    select
        track_kind,
        track_id,
        count(*) as items,
        count(case when is_retired then 1 end) as retired_items,
        sum(case when is_in_catalog then item_time_needed_in_hours end) as summed_hours
    from {{ ref('datacamp__track_item') }}
    group by track_kind, track_id
)

select
    track.kind as track_kind,
    track.item_id as track_id,
    track.title as track_title,
    track.technology,
    track.topic_name,
    track.is_live,
    track.time_needed_in_hours as stated_hours,
    content.summed_hours,
    coalesce(content.items, 0) as items,
    coalesce(content.retired_items, 0) as retired_items
from track
left join content
    on content.track_kind = track.kind and content.track_id = track.item_id
