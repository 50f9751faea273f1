-- Adds a row for each item that no earlier build saw. The history cannot be rebuilt, so that
-- --full-refresh does not replace the table. The adapter chooses how to insert.
{{ config(materialized='incremental', full_refresh=false) }}

with item as (
    select kind, item_id, _fivetran_synced
    from {{ ref('datacamp__catalog_item') }}
    where not is_retired
),

seen as (
    {% if is_incremental() -%}
    select kind, item_id
    from {{ this }}
    {%- else -%}
    select kind, item_id
    from item
    where 1 = 0
    {%- endif %}
),

seen_kind as (
    select distinct kind
    from seen
)

select
    item.kind,
    item.item_id,
    item._fivetran_synced as first_seen_at,
    seen_kind.kind is null as is_from_first_build
from item
left join seen
    on seen.kind = item.kind and seen.item_id = item.item_id
left join seen_kind
    on seen_kind.kind = item.kind
where seen.item_id is null
