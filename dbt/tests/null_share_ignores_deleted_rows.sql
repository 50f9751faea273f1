-- Rows whose count of NULLs differs from the count below, for a column that is often NULL.
select shares.null_count
from {{ ref('datacamp__null_share') }} as shares
cross join (
    select count(*) as null_count
    from {{ ref('stg_datacamp__course') }}
    where topic_description is null
) as expected
where shares.table_name = 'course'
    and shares.column_name = 'topic_description'
    and shares.null_count <> expected.null_count
