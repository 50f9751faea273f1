{#-
  Select from a table that the connector writes, with all columns that models use.

  A column that the table does not have is NULL. A table that does not exist, or that has no
  `_fivetran_deleted` because no sync has written a row to it, is empty.
-#}
{% macro datacamp_rows(table) %}
    {%- set source_table = source('datacamp', table) -%}
    {%- set found = datacamp_columns(source_table) -%}
    {%- if found is none -%}
        {{- return(source_table) -}}
    {%- endif -%}
    {%- set lacking = {} -%}
    {%- for name, type in datacamp_declared(table).items() if name not in found | map('lower') -%}
        {%- do lacking.update({name: type}) -%}
    {%- endfor -%}
    {%- if not lacking -%}
        {{- return(source_table) -}}
    {%- endif -%}
    (
        select
            {% if found %}*,{% endif %}
            {% for name, type in lacking.items() -%}
            {{ datacamp_null(type) }} as {{ name }}{{ ',' if not loop.last }}
            {% endfor -%}
        {% if found %}from {{ source_table }}{% endif %}
        {% if '_fivetran_deleted' in lacking %}limit 0{% endif %}
    ) as datacamp_rows
{%- endmacro %}


{#-
  Return the names of a table's columns as the database spells them, none if it does not exist.

  Return `none` while dbt parses or must not query the database (`--no-introspect`), and in unit
  tests, which provide the rows themselves.
-#}
{% macro datacamp_columns(source_table) %}
    {%- if not execute or not flags.INTROSPECT or source_table.is_cte -%}
        {{- return(none) -}}
    {%- endif -%}
    {%- set relation = load_relation(source_table) -%}
    {%- set columns = adapter.get_columns_in_relation(relation) if relation else [] -%}
    {{- return(columns | map(attribute='name') | list) -}}
{% endmacro %}


{#- Return the Fivetran type of each declared or passed-through column of a table, by name. -#}
{% macro datacamp_declared(table) %}
    {%- set types = {} -%}
    {%- if execute -%}
        {%- for column in graph.sources['source.datacamp.datacamp.' ~ table].columns.values() -%}
            {%- do types.update({column.name: column.data_type}) -%}
        {%- endfor -%}
        {%- for column in var('datacamp__' ~ table ~ '_pass_through_columns', []) -%}
            {%- do types.update({column.name | lower: 'STRING'}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{- return(types) -}}
{% endmacro %}


{#- Select the columns that `datacamp__<table>_pass_through_columns` lists, after other columns. -#}
{% macro datacamp_pass_through(table) %}
    {%- for column in var('datacamp__' ~ table ~ '_pass_through_columns', []) -%}
    ,
    {{ column.name }} as {{ column.alias or column.name }}
    {%- endfor -%}
{% endmacro %}


{#- Return NULL of a Fivetran type. -#}
{% macro datacamp_null(fivetran_type) %}
    {%- set without_zone = target.type in ['bigquery', 'databricks', 'spark'] -%}
    {%- set types = {
        'STRING': dbt.type_string(),
        'DOUBLE': dbt.type_float(),
        'LONG': dbt.type_bigint(),
        'BOOLEAN': dbt.type_boolean(),
        'UTC_DATETIME': 'timestamp' if without_zone else 'timestamptz',
    } -%}
    {{- return('cast(null as ' ~ types[fivetran_type] ~ ')') -}}
{% endmacro %}
