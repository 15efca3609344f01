{#
  How many known pairs of a space, of those that are the same and of the others, calibrate its confidence and judge it.
  At so many the share of any band is known to a hundredth; more would only cost time and memory.
#}
{% macro most_calibrating_links() -%}
    {{ return(10000) }}
{%- endmacro %}
