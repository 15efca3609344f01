{# Keywords or classes of a document that count for its novelty, the first ones: its pairs grow with their square. #}
{% macro most_nodes() -%}30{%- endmacro %}

{# A number whose sums come out the same in whatever order an engine adds: sums of floating point do not. #}
{% macro exact(number, digits=9) -%}
cast({{ number }} as decimal(18, {{ digits }}))
{%- endmacro %}

{# Documents from a sum of exact weights: three thirds are one document again. None is 0. #}
{% macro counted_documents(weights) -%}
coalesce(round(cast({{ weights }} as double), 6), 0)
{%- endmacro %}
