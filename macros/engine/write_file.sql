{#
    A publication model's rows written to a file, in its order; a post-hook. A view and a COPY rather than dbt-duckdb's
    `external`, which writes a row of nulls where there are no rows, holds the rows a second time, and leaves a view
    that guesses the types anew. The file appears whole or not at all: DuckDB writes aside and renames, on Spark too,
    whose own files are folders of parts.
#}
{% macro write_file(relation, file) -%}
    {%- set path = env_var('DEEPINNOVATION_PUBLICATION', 'publication') ~ '/' ~ file -%}
    {%- set form = 'format parquet, compression zstd' if file.endswith('.parquet') else "format csv, header, delimiter ','" -%}
    {{ return(adapter.dispatch('write_file')(relation, path, form ~ ', use_tmp_file true')) }}
{%- endmacro %}

{% macro default__write_file(relation, path, options) -%}
copy (select * from {{ relation }}) to '{{ path }}' ({{ options }})
{%- endmacro %}

{% macro spark__write_file(relation, path, options) -%}
{%- if execute -%}
    {%- do adapter.write_file(relation, path, options) -%}
{%- endif -%}
select 1
{%- endmacro %}
