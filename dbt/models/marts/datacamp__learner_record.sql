-- Built only if `datacamp_learner_records` names a model, of the project that dbt runs, with the
-- columns kind, content_id, user_id and completed_at. Each of its rows is one row here.
{%- set records = var('datacamp_learner_records', none) -%}
{{ config(enabled=records is not none) }}
{% if records %}

with record as (
    select
        kind,
        content_id,
        user_id,
        completed_at,
        {{ datacamp_item_number('content_id') }} as item_number
    from {{ ref(project_name, records) }}
),

-- If two items of a kind share a number, the one that is still in the catalog is matched.
item as (
    select
        *,
        row_number() over (
            partition by kind, item_number
            order by case when is_retired then 1 else 0 end, item_id
        ) as preference
    from {{ ref('datacamp__catalog_item') }}
)

select
    record.kind,
    record.content_id,
    record.user_id,
    record.completed_at,
    item.item_id,
    item.title as item_title,
    item.technology as item_technology,
    item.topic_name as item_topic_name,
    item.time_needed_in_hours as item_time_needed_in_hours,
    item.is_retired,
    item.item_id is not null as is_matched
from record
left join item
    on item.kind = record.kind
        and item.item_number = record.item_number
        and item.preference = 1

{% endif %}
