-- Adds a row for each item that no earlier build saw. The history cannot be rebuilt, so that
-- --full-refresh does not replace the table.
{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}

select
    item.kind,
    item.item_id,
    item._fivetran_synced as first_seen_at,
    {{ 'false' if is_incremental() else 'true' }} as is_from_first_build
from {{ ref('datacamp__catalog_item') }} as item
{% if is_incremental() %}
left join {{ this }} as seen
    on seen.kind = item.kind and seen.item_id = item.item_id
where seen.item_id is null
{% endif %}
