{# As dbt-spark does it, where nothing is in the way. What it calls temporary is a table for a Python model. #}
{% macro sparksession__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if not temporary or language == 'python' -%}
        {%- do adapter.clear_leftovers(relation) -%}
    {%- endif -%}
    {{ return(spark__create_table_as(temporary, relation, compiled_code, language)) }}
{%- endmacro %}

{% macro sparksession__create_csv_table(model, agate_table) -%}
    {%- do adapter.clear_leftovers(this) -%}
    {{ return(spark__create_csv_table(model, agate_table)) }}
{%- endmacro %}
