{#
    Writes rows of a relation to a file; a post-hook of publication models. A COPY rather than dbt-duckdb's `external`,
    which writes a row of nulls where there are no rows, holds the rows a second time, and leaves a view that guesses
    the types again. The file appears whole or not at all: DuckDB writes aside and renames, on Spark too, whose own
    files are folders of parts.
    where, order_by: SQL that chooses and orders the rows; a publication model is in its own order already.
#}
{% macro write_file(relation, file, where='true', order_by=none) -%}
    {%- set path = env_var('DEEPINNOVATION_PUBLICATION', 'publication') ~ '/' ~ file -%}
    {%- set form = 'format parquet, compression zstd' if file.endswith('.parquet') else "format csv, header, delimiter ','" -%}
    {%- set rows = 'select * from ' ~ relation ~ ' where ' ~ where ~ (' order by ' ~ order_by if order_by else '') -%}
    {{ return(adapter.dispatch('write_file')(rows, path, form ~ ', use_tmp_file true')) }}
{%- endmacro %}

{% macro default__write_file(rows, path, options) -%}
copy ({{ rows }}) to '{{ path }}' ({{ options }})
{%- endmacro %}

{% macro spark__write_file(rows, path, options) -%}
{%- if execute -%}
    {#- A view of its own for each file: with more than one thread, several are written at once in one session. -#}
    {%- set view = 'rows_of_' ~ modules.re.sub('[^A-Za-z0-9]', '_', path.split('/') | last) -%}
    {%- do run_query('create or replace temporary view ' ~ view ~ ' as ' ~ rows) -%}
    {%- do adapter.write_file(api.Relation.create(identifier=view), path, options) -%}
{%- endif -%}
select 1
{%- endmacro %}
