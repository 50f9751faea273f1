{#-
  Return what identifies an item among those of its kind: its id without the words before the
  number. `course-54859`, `COURSE-54859` and `54859` all become `54859`. Join on it together with
  the kind, because items of two kinds can have the same number.

  A minus sign is kept: in DataCamp's exports, -1 stands for any deleted item.
-#}
{% macro datacamp_item_number(id) -%}
    regexp_replace(lower(cast({{ id }} as {{ dbt.type_string() }})), '^([a-z]+[-_])+', '')
{%- endmacro %}
