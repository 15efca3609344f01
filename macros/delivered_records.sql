{#
    The records of a source as they were delivered, one row per line, array element or table row:
    record_file, record_row (from 1, over all files of the source in their order), record_text (JSON text).

    Reads whatever lies at the source's location (an environment variable, see .env.example): a file, a folder or a
    glob; several joined by `:`. Without a location a source has no rows. When no location at all is set, the bundled
    sample is read. A broken line stays a row: staging and rejected_records say what becomes of it.

    Nothing is parsed here but the container: lines of JSON (plain or gzip), JSON documents (an array, or an object
    with `results`, as an API answers), Parquet and CSV, whose rows become JSON text. So one staging model
    serves every form of delivery, and the raw record is at hand for those that are refused.
#}
{% macro delivered_records(system, entity) -%}
    {%- set delivered = source(system, entity) -%}  {# for the lineage #}
    {%- set files = {'lines': [], 'documents': [], 'parquet': [], 'csv': []} -%}
    {%- if execute -%}
        {%- set files = delivered_files(system, entity) -%}
    {%- endif -%}
    {{ return(adapter.dispatch('read_records')(files)) }}
{%- endmacro %}


{# The locations of a source, most often one. #}
{% macro source_locations(system, entity) -%}
    {%- set variables = {
        'openalex': 'DEEPINNOVATION_PAPERS_OPENALEX',
        'tables papers': 'DEEPINNOVATION_PAPERS_TABLES',
        'google_patents': 'DEEPINNOVATION_PATENTS_GOOGLE_PATENTS',
        'tables patents': 'DEEPINNOVATION_PATENTS_TABLES',
        'tables labels': 'DEEPINNOVATION_LABELS',
    } -%}
    {%- set sample = {
        'DEEPINNOVATION_PAPERS_OPENALEX': 'openalex',
        'DEEPINNOVATION_PATENTS_GOOGLE_PATENTS': 'google_patents',
        'DEEPINNOVATION_LABELS': 'labels.csv',
    } -%}
    {%- set variable = variables.get(system) or variables[system ~ ' ' ~ entity] -%}
    {%- set is_sample = namespace(value=true) -%}
    {%- for name in variables.values() -%}
        {%- if env_var(name, '') and name != 'DEEPINNOVATION_LABELS' -%}
            {%- set is_sample.value = false -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if is_sample.value and variable in sample and not env_var(variable, '') -%}
        {{ return([project_root() ~ '/seeds/sample/' ~ sample[variable]]) }}
    {%- endif -%}
    {{ return(env_var(variable, '').split(':') | select | list) }}
{%- endmacro %}


{# dbt's paths are relative to the working directory; the sample's is not. #}
{% macro project_root() -%}
    {{ return(flags.PROJECT_DIR or '.') }}
{%- endmacro %}


{#
    The files of one delivered table, by the way they are read. Of a folder: everything below it that ends in .gz,
    .jsonl, .ndjson, .json, .parquet or .csv, or is named part_*; of `part_0` and `part_0.gz` only the latter. OpenAlex
    snapshots hold many tables: works are what lies below a folder `works`, if there is one.
#}
{% macro delivered_files(system, entity) -%}
    {%- set chosen = [] -%}
    {%- for location in source_locations(system, entity) -%}
        {%- set quoted = location | replace("'", "''") -%}
        {%- set found = run_query(
            "select distinct file from (" ~
            "select file from glob('" ~ quoted ~ "') union all select file from glob('" ~ quoted ~ "/**')" ~
            ") where regexp_matches(file, '([.](gz|jsonl|ndjson|json|parquet|csv)|/part_[^/]*)$')" ~
            " and not regexp_matches(file, '/manifest[^/]*$')" ~
            " or file = '" ~ quoted ~ "' order by file"
        ).columns[0].values() | list -%}
        {%- if not found -%}
            {{ exceptions.raise_compiler_error(
                "No file of " ~ system ~ " " ~ entity ~ " at " ~ location ~ ". Check the path, or leave it out."
            ) }}
        {%- endif -%}
        {#- What a path means shows below the location: the folders above it may be called anything. -#}
        {%- set fixed = location.split('*')[0].split('?')[0].split('[')[0] -%}
        {%- set root = location if fixed == location else fixed.rpartition('/')[0] -%}
        {%- set kinds = {} -%}
        {%- for file in found -%}
            {%- set below = '/' ~ file[root | length:].lstrip('/') -%}
            {%- if '/merged_ids/' in below -%}
                {%- do kinds.update({file: 'merged_works' if '/merged_ids/works/' in below else 'merged others'}) -%}
            {%- elif '/deleted_ids' in below -%}
                {%- set is_of_works = '/works/' in below or below.count('/') == 1 -%}
                {%- do kinds.update({file: 'deleted_works' if is_of_works else 'deleted others'}) -%}
            {%- elif '/works/' in below -%}
                {%- do kinds.update({file: 'works'}) -%}
            {%- else -%}
                {%- do kinds.update({file: 'others'}) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- for file in found if (file ~ '.gz') not in found and file not in chosen -%}
            {%- if system != 'openalex' or kinds[file] == entity -%}
                {%- do chosen.append(file) -%}
            {%- elif entity == 'works' and kinds[file] == 'others' and 'works' not in kinds.values() -%}
                {%- do chosen.append(file) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set files = {'lines': [], 'documents': [], 'parquet': [], 'csv': []} -%}
    {%- for file in chosen -%}
        {%- if file.endswith('.parquet') -%}
            {%- do files['parquet'].append(file) -%}
        {%- elif file.endswith('.csv') or file.endswith('.csv.gz') -%}
            {%- do files['csv'].append(file) -%}
        {%- elif file.endswith('.json') -%}
            {%- do files['documents'].append(file) -%}
        {%- else -%}
            {%- do files['lines'].append(file) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(files) }}
{%- endmacro %}


{# Texts as a list in SQL. #}
{% macro quoted_list(texts) -%}
{%- set quoted = [] -%}
{%- for text in texts -%}
    {%- do quoted.append("'" ~ (text | replace("'", "''")) ~ "'") -%}
{%- endfor -%}
[{{ quoted | join(', ') }}]
{%- endmacro %}


{#
    Lines are read as text by the CSV reader with a separator that JSON cannot hold unescaped: it streams, reads gzip
    and works in parallel. A line may be 32 MiB long. CSV is read strictly: a row with more or fewer fields than the
    header, or a quote that is never closed, ends the build with its line, because a lenient reader silently drops
    fields or joins rows.
#}
{% macro default__read_records(files) -%}
{%- set parts = [] -%}
{%- if files['lines'] -%}
    {%- do parts.append(
        "select * from (\n        select filename as record_file, row_number() over () as record_row, line as record_text\n"
        ~ "        from read_csv(\n            " ~ quoted_list(files['lines'])
        ~ ",\n            delim = chr(1), quote = '', escape = '', header = false, columns = {'line': 'VARCHAR'},\n"
        ~ "            auto_detect = false, filename = true, strict_mode = false, null_padding = true,\n"
        ~ "            max_line_size = 33554432, buffer_size = 67108864\n"
        ~ "        )\n    )\n    where trim(record_text) <> ''"
    ) -%}
{%- endif -%}
{%- if files['documents'] -%}
    {%- do parts.append(
        "select filename as record_file, row_number() over () as record_row,\n"
        ~ "    line as record_text\n"
        ~ "    from (\n        select filename, unnest(case\n"
        ~ "            when not json_valid(content) then string_split(content, chr(10))\n"
        ~ "            when json_type(content) = 'ARRAY'\n"
        ~ "                then cast(from_json(content, '[\"JSON\"]') as string[])\n"
        ~ "            when json_type(content, '$.results') = 'ARRAY'\n"
        ~ "                then cast(from_json(json_extract(content, '$.results'), '[\"JSON\"]') as string[])\n"
        ~ "            else [content]\n        end) as line\n"
        ~ "        from (\n            select filename, ltrim(content, chr(65279)) as content\n"
        ~ "            from read_text(" ~ quoted_list(files['documents']) ~ ")\n        )\n    )\n    where trim(line) <> ''"
    ) -%}
{%- endif -%}
{%- if files['parquet'] -%}
    {%- do parts.append(
        "select record_file, row_number() over () as record_row, cast(to_json(delivered) as string)"
        ~ " as record_text\n    from read_parquet(" ~ quoted_list(files['parquet'])
        ~ ", filename = 'record_file', union_by_name = true) as delivered"
    ) -%}
{%- endif -%}
{%- if files['csv'] -%}
    {%- do parts.append(
        "select record_file, row_number() over () as record_row, cast(to_json(delivered) as string)"
        ~ " as record_text\n    from read_csv(" ~ quoted_list(files['csv']) ~ ",\n"
        ~ "        all_varchar = true, header = true, filename = 'record_file', union_by_name = true,\n"
        ~ "        delim = ',', quote = '\"', escape = '\"', skip = 0, comment = ''\n    ) as delivered"
    ) -%}
{%- endif -%}
{%- if not parts -%}
    {%- do parts.append(
        "select cast(null as string) as record_file, cast(null as bigint) as record_row, "
        ~ "cast(null as string) as record_text\n    where false"
    ) -%}
{%- endif -%}
{{ parts | join("\n\n    union all\n\n    ") }}
{%- endmacro %}
