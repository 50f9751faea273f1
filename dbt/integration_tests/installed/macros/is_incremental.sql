{#-
  With `assume_incremental`, compile the SQL of an incremental model without asking the database
  whether it exists, and raise an error unless the adapter accepts the model's strategy.
-#}
{% macro is_incremental() %}
    {%- if not var('assume_incremental', false) -%}
        {{- return(dbt.is_incremental()) -}}
    {%- endif -%}
    {%- if execute and target.type == 'bigquery' -%}
        {%- do dbt_bigquery_validate_get_incremental_strategy(config) -%}
    {%- elif execute -%}
        {%- do adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}
    {%- endif -%}
    {{- return(true) -}}
{% endmacro %}
