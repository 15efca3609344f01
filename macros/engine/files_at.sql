{#
    Every file at a location and below it. A location is a file, a folder or a glob (`*`, `?`, `[a-z]`, and `**` for
    any depth of folders). What exists is that file or folder, whatever signs are in its name; only else is it a glob.
    Links are followed, to files and to folders. Nothing there is an empty list. Local files come without a scheme.
#}
{% macro files_at(location) -%}
    {{ return(adapter.dispatch('files_at')(location)) }}
{%- endmacro %}

{# DuckDB's `**` leaves links out, its `*` does not: so links are followed through eight folders. #}
{% macro default__files_at(location) -%}
    {%- set below = ['', '/*', '/*/*', '/*/*/*', '/*/*/*/*', '/*/*/*/*/*', '/*/*/*/*/*/*', '/*/*/*/*/*/*/*', '/**'] -%}
    {%- for place, endings in [
        (without_glob(location.rstrip('/')), below), (location, below if '**' not in location else ['']),
    ] -%}
        {%- set globs = [] -%}
        {%- for ending in endings -%}
            {%- do globs.append("select file from glob('" ~ (place | replace("'", "''")) ~ ending ~ "')") -%}
        {%- endfor -%}
        {%- set files = run_query(globs | join(' union ')).columns[0].values() | list -%}
        {%- if files -%}
            {{ return(files) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return([]) }}
{%- endmacro %}

{# A glob of DuckDB's that only one path matches. #}
{% macro without_glob(path) -%}
    {{ return(modules.re.sub('[*?[]', '[\\g<0>]', path)) }}
{%- endmacro %}

{#
    Spark lists files for a view of them, of whose columns only the path is asked for: contents are not read. Its
    globs know no `**` and take braces for alternatives; so the listing may be too long, and is narrowed here. A
    script catches the error that Spark raises for a path where nothing is. Files of no bytes are not listed.
#}
{% macro spark__files_at(location) -%}
    {%- set path = modules.re.sub('^file:/+', '/', location).rstrip('/') -%}
    {%- set pattern = namespace(value=modules.re.escape(path)) -%}
    {%- for escaped, meaning in [
        ('\\*\\*/', '(.*/)?'), ('\\*\\*', '.*'), ('\\*', '[^/]*'), ('\\?', '[^/]'),
        ('\\[!', '[^'), ('\\[', '['), ('\\]', ']'), ('\\-', '-'),
    ] -%}
        {%- set pattern.value = pattern.value | replace(escaped, meaning) -%}
    {%- endfor -%}
    {%- for listed, meant in [
        (modules.re.sub(spark_glob_sign(), '?', location), modules.re.escape(path) ~ '(/.*)?$'),
        (
            modules.re.sub('[{}\\\\]', '?', location.split('/**')[0]) or '/',
            pattern.value ~ ('$' if '**' in path else '(/.*)?$'),
        ),
    ] -%}
        {%- set view = 'listed_' ~ local_md5(listed) -%}
        {%- set rows = spark_script(
            "create or replace temporary view " ~ view ~ " using binaryFile options (path " ~ spark_text(listed)
            ~ ", recursiveFileLookup 'true'); select path from " ~ view,
            'path_not_found', "select '' as path where false"
        ) -%}
        {%- set files = [] -%}
        {%- for file in rows.columns[0].values() -%}
            {%- set file = modules.re.sub('^file:/+', '/', file) -%}
            {%- if modules.re.search(meant, file) -%}
                {%- do files.append(file) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if files -%}
            {{ return(files) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return([]) }}
{%- endmacro %}

{#
    The table that a script of Spark's SQL ends with, or that of another query when it meets a condition. Spark is told
    that scripts are meant (4.0), to look at many files in few tasks instead of one each, not to look for the log of a
    stream where a path is a glob, and to cut files in the same pieces however many workers there are at the moment.
#}
{% macro spark_script(statements, condition, otherwise) -%}
    {%- for setting in [
        'scripting.enabled = true',
        'sources.parallelPartitionDiscovery.parallelism = 64',
        'streaming.fileStreamSink.ignoreMetadata = true',
        'files.minPartitionNum = 32',
    ] -%}
        {%- do run_query('set spark.sql.' ~ setting) -%}
    {%- endfor -%}
    {{ return(run_query(
        'begin declare exit handler for ' ~ condition ~ ' begin ' ~ otherwise ~ '; end; ' ~ statements ~ '; end'
    )) }}
{%- endmacro %}

{# Text in Spark's SQL. #}
{% macro spark_text(text) -%}
    {{ return("'" ~ (text | replace('\\', '\\\\') | replace("'", "\\'")) ~ "'") }}
{%- endmacro %}
