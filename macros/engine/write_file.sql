{#
    A publication model's rows written to a file, in its order; a post-hook. A view and a COPY rather than dbt-duckdb's
    `external`, which writes a row of nulls where there are no rows, holds the rows a second time, and leaves a view
    that guesses the types anew. The file appears whole or not at all: DuckDB writes aside and renames.
#}
{% macro write_file(relation, file) -%}
    {{ return(adapter.dispatch('write_file')(relation, file)) }}
{%- endmacro %}

{% macro default__write_file(relation, file) -%}
{%- set folder = env_var('DEEPINNOVATION_PUBLICATION', 'publication') -%}
{%- set options = 'format parquet, compression zstd' if file.endswith('.parquet') else "format csv, header, delimiter ','" -%}
copy (select * from {{ relation }}) to '{{ folder }}/{{ file }}' ({{ options }}, use_tmp_file true)
{%- endmacro %}
