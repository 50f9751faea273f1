{#-
  Return the kinds of items whose catalogs are not in `datacamp_skip_endpoints`, of all six or of
  those in `among`. A kind is named as the table of its items.
-#}
{% macro datacamp_kinds(among=none) %}
    {%- set kinds = {
        'assessments': 'assessment',
        'practices': 'practice',
        'projects': 'project',
        'custom_tracks': 'custom_track',
        'tracks': 'track',
        'courses': 'course',
    } -%}
    {%- set skipped = var('datacamp_skip_endpoints', []) -%}
    {%- if skipped is string or skipped | reject('in', kinds) | list -%}
        {{- exceptions.raise_compiler_error(
            'datacamp_skip_endpoints is a list of ' ~ kinds | join(', ') ~ '; it is ' ~ skipped
        ) -}}
    {%- endif -%}
    {%- set remaining = [] -%}
    {%- for endpoint, kind in kinds.items() -%}
        {%- if endpoint not in skipped and (among is none or kind in among) -%}
            {%- do remaining.append(kind) -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(remaining) -}}
{% endmacro %}
