{# All settings that decide which patents a paper is matched to, besides the vectors; 1 is that of the method itself. #}
{% macro matching_version() -%}
    1, {{ var('top_k') }} of lag {{ var('minimum_lag_years') }} to {{ var('maximum_lag_years') }}, {{ var('matching_method') }}
    {%- if var('matching_method') != 'exact' %} {{ var('hnsw_expansion_search') }}{% endif %}
{%- endmacro %}
