-- The kinds of which too few learner records match an item.
{{ config(severity='warn', enabled=var('datacamp_learner_records', none) is not none) }}
select
    kind,
    count(*) as records,
    100.0 * count(item_id) / count(*) as percent_matched
from {{ ref('datacamp__learner_record') }}
group by kind
having 100.0 * count(item_id) / count(*) < {{ var('datacamp_minimum_match_percent', 95) }}
