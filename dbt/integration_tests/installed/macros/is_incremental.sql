{#- dbt's own asks the database; with this variable, SQL for the clouds is compiled without one. -#}
{% macro is_incremental() %}
    {{- return(var('assume_incremental') if var('assume_incremental', none) is not none else dbt.is_incremental()) -}}
{% endmacro %}


{#- Raise an error unless the adapter accepts the incremental strategy of datacamp__first_seen. -#}
{% macro validate_incremental_strategy() %}
    {%- set config = graph.nodes['model.datacamp.datacamp__first_seen'].config -%}
    {%- set strategy = var('strategy', config.incremental_strategy) -%}
    {%- if target.type == 'bigquery' -%}
        {%- do dbt_bigquery_validate_get_incremental_strategy({'incremental_strategy': strategy}) -%}
    {%- else -%}
        {%- do adapter.get_incremental_strategy_macro(context, strategy or 'default') -%}
    {%- endif -%}
{% endmacro %}
