{#
    The records of files, by the way they are read (`lines`, `documents`, `parquet` and `csv`, each a list of files):
    record_file, record_row (from 1, over all files of a kind in their order), record_text.
#}
{% macro read_records(files) -%}
    {{ return(adapter.dispatch('read_records')(files)) }}
{%- endmacro %}

{% macro no_records() -%}
select cast(null as string) as record_file, cast(null as bigint) as record_row, cast(null as string) as record_text
    where false
{%- endmacro %}

{#
    DuckDB takes every path for a glob, so what means something in one is written as itself.
#}
{% macro quoted_files(files) -%}
{%- set quoted = [] -%}
{%- for file in files -%}
    {%- do quoted.append("'" ~ (without_glob(file) | replace("'", "''")) ~ "'") -%}
{%- endfor -%}
[{{ quoted | join(', ') }}]
{%- endmacro %}

{# Files in their order, in as few groups of neighbours as have one value: pairs of that value and of the files. #}
{% macro neighbours_alike(values) -%}
    {%- set groups = [] -%}
    {%- for file, value in values.items() -%}
        {%- if groups and groups[-1][0] == value -%}
            {%- do groups[-1][1].append(file) -%}
        {%- else -%}
            {%- do groups.append([value, [file]]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(groups) }}
{%- endmacro %}

{# The sign that parts the fields of CSV, by its header: of `,`, tab, `;` and `|` the one that parts most. #}
{% macro csv_separator(header) -%}
    {%- set bare = modules.re.sub('"[^"]*("|$)', '', header) -%}
    {%- set best = namespace(sign=',', count=bare.count(',')) -%}
    {%- for sign in ['\t', ';', '|'] if bare.count(sign) > best.count -%}
        {%- set best.sign = sign -%}
        {%- set best.count = bare.count(sign) -%}
    {%- endfor -%}
    {{ return(best.sign) }}
{%- endmacro %}


{#
    Lines are read as text by the CSV reader with a separator that JSON cannot hold unescaped: it streams, reads gzip
    and works in parallel. A line may be 32 MiB long. CSV is read strictly: a row with more or fewer fields than the
    header, or a quote that is never closed, ends the build with its line, because a lenient reader silently drops
    fields or joins rows.
#}
{% macro default__read_records(files) -%}
{%- set parts = [] -%}
{%- set lines, documents, packed_documents = sorted_documents(files) -%}
{%- if lines -%}
    {%- do parts.append(
        "select * from (\n        select record_file, row_number() over () as record_row, line as record_text\n"
        ~ "        from " ~ duckdb_lines(lines) ~ "\n    )\n    where trim(record_text) <> ''"
    ) -%}
{%- endif -%}
{%- if documents or packed_documents -%}
    {%- do parts.append(duckdb_document_records(documents, packed_documents)) -%}
{%- endif -%}
{%- if files['parquet'] -%}
    {%- do parts.append(duckdb_numbered(
        "read_parquet(", neighbours_alike(duckdb_schemas(files['parquet'])),
        ", filename = 'record_file', union_by_name = true, hive_partitioning = false)", false
    )) -%}
{%- endif -%}
{%- if files['csv'] -%}
    {%- set separators = {} -%}
    {%- for file in files['csv'] -%}
        {%- do separators.update({file: csv_separator(duckdb_first_line(file))}) -%}
    {%- endfor -%}
    {%- do parts.append(duckdb_numbered(
        "read_csv(", neighbours_alike(separators),
        ",\n        all_varchar = true, header = true, filename = 'record_file', union_by_name = true,\n"
        ~ "        hive_partitioning = false,\n"
        ~ "        quote = '\"', escape = '\"', skip = 0, comment = '', delim = '{}'\n    )", true
    )) -%}
{%- endif -%}
{{ parts | join("\n\n    union all\n\n    ") or no_records() }}
{%- endmacro %}

{#
    Spark reads the files of a kind through temporary views, whose rows it deals out to tasks: a task has pieces of
    large files and many small files. Rows are numbered without bringing them to one place: a row's number within its
    task, less that of the first row of its piece, plus the rows of all pieces before (a small table, sent to all).
#}
{% macro spark__read_records(files) -%}
    {%- set parts = [] -%}
    {%- set lines, documents = spark_sorted_documents(files) -%}
    {%- if lines -%}
        {%- set views = spark_views(lines, 'text', 'value string') -%}
        {%- set text -%}
case
        when is_valid_utf8(line) then substring_index(line, '\u0001', 1)
        else raise_error(concat("The record ", record_row, " of file '", record_file, "' is not utf-8 encoded."))
    end
        {%- endset -%}
        {%- do parts.append(
            spark_numbered(spark_rows(views, 'value as line'), text, lines) ~ "\n    where trim(line) <> ''"
        ) -%}
    {%- endif -%}
    {%- if documents -%}
        {%- set views = spark_views(documents, 'text', 'value string', {'wholetext': 'true'}) -%}
        {%- set rows -%}
select file, block, line from (
            select file, block, explode({{ spark_document_records('content', 'document') }}) as line
            from (
                select *, {{ spark_document('content') }} as document
                from ({{ spark_rows(views, "ltrim('\\ufeff', value) as content") }})
            )
        ) where trim(line) <> ''
        {%- endset -%}
        {%- do parts.append(spark_numbered(rows, 'line', documents)) -%}
    {%- endif -%}
    {%- if files['parquet'] -%}
        {%- do parts.append(spark_parquet_records(files['parquet'])) -%}
    {%- endif -%}
    {%- if files['csv'] -%}
        {%- do parts.append(spark_csv_records(files['csv'])) -%}
    {%- endif -%}
    {{- return(parts | join("\n\n    union all\n\n    ") or no_records()) -}}
{%- endmacro %}

{# SQL of the numbered rows of tables as JSON text: `groups` are pairs of a value, for `{}` in the call, and files. #}
{% macro duckdb_numbered(call, groups, options, with_value) -%}
    {%- set tables = [] -%}
    {%- for value, files in groups -%}
        {%- do tables.append(
            "select record_file, cast(to_json(delivered) as string) as record_text\n    from "
            ~ call ~ quoted_files(files) ~ (options | replace('{}', value) if with_value else options) ~ " as delivered"
        ) -%}
    {%- endfor -%}
    {{ return(
        "select record_file, row_number() over () as record_row, record_text\n    from (\n    "
        ~ tables | join('\n    union all\n    ') ~ "\n    )"
    ) }}
{%- endmacro %}

{# DuckDB's table of the lines of files, as a subquery: record_file and line. #}
{% macro duckdb_lines(files) -%}
    {{ return(
        "(\n            select filename as record_file, line\n            from read_csv(\n                "
        ~ quoted_files(files) ~ ",\n                delim = chr(1), quote = '', escape = '', header = false,"
        ~ " columns = {'line': 'VARCHAR'},\n                auto_detect = false, filename = true, strict_mode = false,"
        ~ " null_padding = true,\n                max_line_size = 33554432, buffer_size = 67108864\n            )\n        )"
    ) }}
{%- endmacro %}

{# The first line of a file that is not blank. #}
{% macro duckdb_first_line(file) -%}
    {%- set rows = run_query(
        "select ltrim(line, chr(65279)) from " ~ duckdb_lines([file]) ~ " where trim(line) <> '' limit 1"
    ).rows -%}
    {{ return(rows[0][0] if rows else '') }}
{%- endmacro %}

{#
    Files of JSON: those of lines, documents, and documents in gzip. A .json.gz is either (BigQuery exports lines under
    that name): its first line tells.
#}
{% macro sorted_documents(files) -%}
    {%- set lines = files['lines'] | list -%}
    {%- set documents = [] -%}
    {%- set packed = [] -%}
    {%- for file in files['documents'] -%}
        {%- if not (file | lower).endswith('.gz') -%}
            {%- do documents.append(file) -%}
        {%- else -%}
            {%- set is_line = run_query(
                "select count(*) from (select ltrim(line, chr(65279)) as line from " ~ duckdb_lines([file])
                ~ " where trim(line) <> '' limit 1) where case when json_valid(line) then json_type(line) = 'OBJECT'"
                ~ " and json_type(line, '$.results') is distinct from 'ARRAY' else false end"
            ).rows[0][0] -%}
            {%- do (lines if is_line else packed).append(file) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return((lines | sort(case_sensitive=true), documents, packed)) }}
{%- endmacro %}

{#
    The records of JSON documents. A sign that JSON does not allow spoils one record, not its neighbours: it is hidden
    while the document is taken apart, and put back into its record. What is no JSON all the same, as an answer that was
    cut, is one record; but lines of JSON are read as such, whatever the file is called.
#}
{% macro duckdb_document_records(documents, packed) -%}
    {%- set contents = [] -%}
    {%- if documents -%}
        {%- do contents.append(
            "select filename as record_file, ltrim(content, chr(65279)) as content from read_text("
            ~ quoted_files(documents) ~ ")"
        ) -%}
    {%- endif -%}
    {%- if packed -%}
        {%- do contents.append(
            "select record_file, ltrim(string_agg(line, chr(10) order by number), chr(65279)) as content\n"
            ~ "        from (select *, row_number() over () as number from " ~ duckdb_lines(packed) ~ ")\n"
            ~ "        group by record_file"
        ) -%}
    {%- endif -%}
    {%- set first = "regexp_extract(content, '^\\s*([^\\n]*)', 1)" -%}
    {%- set elements -%}
case
                    when document is null
                        then case
                            when json_valid({{ first }}) or json_valid({{ hidden_signs(first) }})
                                then string_split(content, chr(10))
                            else [content]
                        end
                    when json_type(document) = 'ARRAY'
                        then cast(from_json(document, '["JSON"]') as string[])
                    when json_type(document, '$.results') = 'ARRAY'
                        then cast(from_json(json_extract(document, '$.results'), '["JSON"]') as string[])
                    else [document]
                end
    {%- endset -%}
    {%- set texts = "replace(replace(line, '" ~ hidden_sign(1) ~ "', '\\'), '" ~ hidden_sign(2) ~ "', chr(0))" -%}
    {{ return(
        "select record_file, row_number() over (" ~ ('order by record_file, place' if packed else '')
        ~ ") as record_row,\n        case when is_mended then " ~ texts ~ " else line end as record_text\n    from (\n"
        ~ "        select record_file, is_mended, unnest(lines) as line, generate_subscripts(lines, 1) as place\n"
        ~ "        from (\n            select record_file, content <> document as is_mended, " ~ elements ~ " as lines\n"
        ~ "            from (\n                select record_file, content, case\n"
        ~ "                    when json_valid(content) then content\n"
        ~ "                    when json_valid(" ~ hidden_signs('content') ~ ") then " ~ hidden_signs('content')
        ~ "\n                end as document\n                from (\n        "
        ~ contents | join('\n        union all\n        ') ~ "\n                )\n            )\n        )\n    )\n"
        ~ "    where trim(line) <> ''"
    ) }}
{%- endmacro %}

{#
    Parquet files by their schema, where the types of a column are such as DuckDB does not bring together (a list in one
    file and text in another): then each is read with its likes. Else they are read together.
#}
{% macro duckdb_schemas(files) -%}
    {%- set schemas = {} -%}
    {%- for file in files -%}
        {%- do schemas.update({file: ''}) -%}
    {%- endfor -%}
    {%- if files | length > 1 -%}
        {%- set rows = run_query(
            "with fields as (select file_name, lower(name) as name, duckdb_type, column_id from parquet_schema("
            ~ quoted_files(files) ~ ") where column_id > 0),\n"
            ~ "in_file as (select name, string_agg(distinct duckdb_type, '|' order by duckdb_type) as types from fields"
            ~ " group by file_name, name),\n"
            ~ "mixed as (select name from in_file group by name having count(distinct types) > 1"
            ~ " and bool_or(regexp_matches(types, '[[]|STRUCT|MAP|UNION')))\n"
            ~ "select file_name, md5(string_agg(name || ' ' || duckdb_type, ', ' order by column_id)) from fields\n"
            ~ "where (select count(*) from mixed) > 0 group by file_name"
        ).rows -%}
        {%- for row in rows -%}
            {%- do schemas.update({row[0]: row[1]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(schemas) }}
{%- endmacro %}
