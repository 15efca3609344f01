{# Whether a patent of one year may be matched to a paper of another, by `minimum_lag_years` and `maximum_lag_years`. #}
{% macro is_in_time(paper_year, patent_year) -%}
{%- set lag = patent_year ~ ' - ' ~ paper_year -%}
{{ lag }} >= {{ var('minimum_lag_years') }}
{%- if var('maximum_lag_years') is not none %} and {{ lag }} <= {{ var('maximum_lag_years') }}{% endif -%}
{%- endmacro %}
