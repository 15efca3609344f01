{#
    The records of a source as they were delivered, one row per line, array element or table row:
    record_file, record_row (from 1, over all files of the source in their order), record_text (JSON text).

    Reads whatever lies at the source's location (an environment variable, see .env.example): a file, a folder or a
    glob; several joined by `:`. Without a location a source has no rows. When no location at all is set, the bundled
    sample is read. A broken line stays a row: staging and rejected_records say what becomes of it.

    Nothing is parsed here but the container: lines of JSON (plain or gzip), JSON documents (an array, or an object
    with `results`, as an API answers; plain or gzip), Parquet, and CSV whatever separates its fields, whose rows become
    JSON text. So one staging model serves every form of delivery, and the raw record is at hand for those that are
    refused. Capital letters in the ending of a name make no difference.
#}
{% macro delivered_records(system, table) -%}
    {%- set delivered = source(system, table) -%}  {# for the lineage #}
    {%- set files = {'lines': [], 'documents': [], 'parquet': [], 'csv': []} -%}
    {%- if execute -%}
        {%- set rules = rules_of_source(system, table) -%}
        {%- set files = delivered_files(system ~ ' ' ~ table, rules, source_locations(rules)) -%}
    {%- endif -%}
    {{ return(read_records(files)) }}
{%- endmacro %}


{# The `meta` of a delivered table, its source's and the project's among it. #}
{% macro rules_of_source(system, table) -%}
    {%- for node in graph.sources.values() if node.source_name == system and node.name == table -%}
        {{ return(node.config.meta) }}
    {%- endfor -%}
{%- endmacro %}


{# The locations of a delivered table, most often one. #}
{% macro source_locations(rules) -%}
    {%- set is_sample = namespace(value=true) -%}
    {%- for node in graph.sources.values() if node.config.meta.get('holds_documents', true) -%}
        {%- if env_var(node.config.meta.variable, '') -%}
            {%- set is_sample.value = false -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set joined = env_var(rules.variable, '') -%}
    {%- if is_sample.value and rules.get('sample') and not joined -%}
        {{ return([project_root() ~ '/' ~ rules.sample]) }}
    {%- endif -%}
    {#- Not at the colon of an address such as hdfs://host:9000/folder: as in python_steps/sources/locations.py. -#}
    {{ return(modules.re.split(':(?!//|[0-9]+(?:[/:]|$))', joined) | select | list) }}
{%- endmacro %}


{#
    What was named to be read, as lists of a system, its table that holds the records, and what one of them is, as
    rejected_records calls it.
#}
{% macro delivered_sources() -%}
    {%- set words = {'entities': 'organisation'} -%}
    {%- set delivered = [] -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() | sort(attribute='unique_id') if node.config.meta.get('entity') -%}
            {%- if source_locations(node.config.meta) -%}
                {%- set entity = node.config.meta.entity -%}
                {%- do delivered.append([node.source_name, node.name, words.get(entity, entity[:-1])]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(delivered) }}
{%- endmacro %}


{# dbt's paths are relative to the working directory; the sample's is not. #}
{% macro project_root() -%}
    {{ return(invocation_args_dict.project_dir or '.') }}
{%- endmacro %}


{#
    The files of one delivered table, by the way they are read, sorted. Of a folder: what `record_files`, `ignored_files`
    and `unread_files` of the source's meta let through; of `part_0` and `part_0.gz` only the latter. Where a location holds
    several tables, `files` of the meta tells them apart: a table has the files of the first of its patterns that any
    file matches. `name` is what an error calls the table. python_steps/sources/locations.py lists by the same rules.
#}
{% macro delivered_files(name, rules, locations) -%}
    {%- set chosen = {} -%}
    {%- for location in locations -%}
        {#- What a path means shows below the location: the folders above it may be called anything. -#}
        {%- set path = modules.re.sub('^([.]/+)+', '', location) -%}
        {%- set there = files_at(path) -%}
        {%- set fixed = path.split('*')[0].split('?')[0].split('[')[0] -%}
        {#- Files begin with the location unless it is a glob. -#}
        {%- set is_glob = fixed != path and there and path.rstrip('/') not in there[0] -%}
        {%- set root = fixed.rpartition('/')[0] if is_glob else path -%}
        {%- set here = {} -%}
        {%- for file in there -%}
            {%- set below = '/' ~ file[file.find(root) + root | length:].lstrip('/') -%}
            {%- set is_unread = modules.re.search(rules.get('unread_files', '$^'), file) -%}
            {%- set is_record_file = modules.re.search(rules.record_files, file)
                and not modules.re.search(rules.ignored_files, below) -%}
            {%- if file == path and is_unread -%}
                {{ exceptions.raise_compiler_error(
                    file ~ " cannot be read as it is: unpack or convert it. `deepinnovation check` says how."
                ) }}
            {%- elif is_record_file and not is_unread or file == path -%}
                {%- do here.update({file: below}) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- if not here -%}
            {{ exceptions.raise_compiler_error(
                "No file of " ~ name ~ " at " ~ location ~ ". Check the path, or leave it out."
            ) }}
        {%- endif -%}
        {%- set found = namespace(files=[]) -%}
        {%- for pattern in rules.get('files', ['']) if not found.files -%}
            {%- for file, below in here.items() if modules.re.search(pattern, below) -%}
                {%- do found.files.append(file) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for file in found.files if (file ~ '.gz') not in here and (file ~ '.GZ') not in here -%}
            {%- do chosen.update({file: true}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set files = {'lines': [], 'documents': [], 'parquet': [], 'csv': []} -%}
    {%- for file in chosen | sort(case_sensitive=true) -%}
        {%- set name = file | lower -%}
        {%- if name.endswith('.parquet') -%}
            {%- do files['parquet'].append(file) -%}
        {%- elif modules.re.search('[.](csv|tsv)([.]gz)?$', name) -%}
            {%- do files['csv'].append(file) -%}
        {%- elif modules.re.search('[.]json([.]gz)?$', name) -%}
            {%- do files['documents'].append(file) -%}
        {%- else -%}
            {%- do files['lines'].append(file) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(files) }}
{%- endmacro %}
