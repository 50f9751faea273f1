-- What `datacamp_learner_records` names: here from the exports of DataCamp's Data Connector 1.0,
-- which have a row for each day on which a user worked on an item.
{% for kind in ['assessment', 'practice', 'project', 'course'] %}
{% if not loop.first %}union all{% endif %}
select
    '{{ kind }}' as kind,
    {{ kind }}_id as content_id,
    user_id,
    max(completed_at) as completed_at
from {{ ref('learning_' ~ kind ~ '_fact') }}
where completed_at is not null
group by {{ kind }}_id, user_id
{% endfor %}
