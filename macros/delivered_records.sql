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
        {%- set files = delivered_files(system, entity, source_locations(system, entity)) -%}
    {%- endif -%}
    {{ return(read_records(files)) }}
{%- endmacro %}


{# The locations of a source, most often one. #}
{% macro source_locations(system, entity) -%}
    {%- set variables = {
        'openalex': 'DEEPINNOVATION_PAPERS_OPENALEX',
        'tables papers': 'DEEPINNOVATION_PAPERS_TABLES',
        'google_patents': 'DEEPINNOVATION_PATENTS_GOOGLE_PATENTS',
        'tables patents': 'DEEPINNOVATION_PATENTS_TABLES',
        'tables labels': 'DEEPINNOVATION_LABELS',
        'tables links': 'DEEPINNOVATION_LINKS',
    } -%}
    {%- set sample = {
        'DEEPINNOVATION_PAPERS_OPENALEX': 'openalex',
        'DEEPINNOVATION_PATENTS_GOOGLE_PATENTS': 'google_patents',
        'DEEPINNOVATION_LABELS': 'labels.csv',
        'DEEPINNOVATION_LINKS': 'links.csv',
    } -%}
    {%- set variable = variables.get(system) or variables[system ~ ' ' ~ entity] -%}
    {%- set is_sample = namespace(value=true) -%}
    {%- for name in variables.values() -%}
        {%- if env_var(name, '') and name not in ['DEEPINNOVATION_LABELS', 'DEEPINNOVATION_LINKS'] -%}
            {%- set is_sample.value = false -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if is_sample.value and variable in sample and not env_var(variable, '') -%}
        {{ return([project_root() ~ '/seeds/sample/' ~ sample[variable]]) }}
    {%- endif -%}
    {#- Not at the colon of an address such as hdfs://host:9000/folder: as in python_steps/sources/systems.py. -#}
    {{ return(modules.re.split(':(?!//|[0-9]+(?:[/:]|$))', env_var(variable, '')) | select | list) }}
{%- endmacro %}


{# dbt's paths are relative to the working directory; the sample's is not. #}
{% macro project_root() -%}
    {{ return(invocation_args_dict.project_dir or '.') }}
{%- endmacro %}


{#
    The files of one delivered table, by the way they are read, sorted. Of a folder: everything below it that ends in
    .gz, .jsonl, .ndjson, .json, .parquet or .csv, or is named part_*; of `part_0` and `part_0.gz` only the latter.
    What is hidden (`.name`, `_name`, but not `_name=value`) is left out, as Spark does. OpenAlex snapshots hold many
    tables: works are what lies below a folder `works`, if there is one.
#}
{% macro delivered_files(system, entity, locations) -%}
    {%- set chosen = {} -%}
    {%- for location in locations -%}
        {#- What a path means shows below the location: the folders above it may be called anything. -#}
        {%- set path = modules.re.sub('^([.]/+)+', '', location) -%}
        {%- set fixed = path.split('*')[0].split('?')[0].split('[')[0] -%}
        {%- set root = path if fixed == path else fixed.rpartition('/')[0] -%}
        {%- set kinds = {} -%}
        {%- for file in files_at(path) -%}
            {%- set below = '/' ~ file[file.find(root) + root | length:].lstrip('/') -%}
            {%- set is_record_file = modules.re.search('([.](gz|jsonl|ndjson|json|parquet|csv)|/part_[^/]*)$', file)
                and not modules.re.search('/manifest[^/]*$|/[.]|/_[^/=]*(/|$)', below) -%}
            {%- if not is_record_file and file != path -%}
                {#- of no interest -#}
            {%- elif '/merged_ids/' in below -%}
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
        {%- if not kinds -%}
            {{ exceptions.raise_compiler_error(
                "No file of " ~ system ~ " " ~ entity ~ " at " ~ location ~ ". Check the path, or leave it out."
            ) }}
        {%- endif -%}
        {%- set has_works = 'works' in kinds.values() -%}
        {%- for file, kind in kinds.items() if (file ~ '.gz') not in kinds -%}
            {%- if system != 'openalex' or kind == entity or (entity, kind, has_works) == ('works', 'others', false) -%}
                {%- do chosen.update({file: true}) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set files = {'lines': [], 'documents': [], 'parquet': [], 'csv': []} -%}
    {%- for file in chosen | sort(case_sensitive=true) -%}
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
