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

{# dbt-spark writes a seed's values into its SQL, which takes Spark a second for a thousand rows. #}
{% macro sparksession__load_csv_rows(model, agate_table) -%}
    {%- do adapter.insert_rows(this, agate_table) -%}
    {{ return('-- ' ~ (agate_table.rows | length) ~ ' rows as Arrow') }}
{%- endmacro %}
