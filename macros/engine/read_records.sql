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
        ", filename = 'record_file', union_by_name = true)", false
    )) -%}
{%- endif -%}
{%- if files['csv'] -%}
    {%- set separators = {} -%}
    {%- for file in files['csv'] -%}
        {%- do separators.update({file: csv_separator(duckdb_first_line(file, '1048576'))}) -%}
    {%- endfor -%}
    {%- do parts.append(duckdb_numbered(
        "read_csv(", neighbours_alike(separators),
        ",\n        all_varchar = true, header = true, filename = 'record_file', union_by_name = true,\n"
        ~ "        quote = '\"', escape = '\"', skip = 0, comment = '', delim = '{}'\n    )", true
    )) -%}
{%- endif -%}
{{ parts | join("\n\n    union all\n\n    ") or no_records() }}
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
{% macro duckdb_lines(files, longest='33554432') -%}
    {{ return(
        "(\n            select filename as record_file, line\n            from read_csv(\n                "
        ~ quoted_files(files) ~ ",\n                delim = chr(1), quote = '', escape = '', header = false,"
        ~ " columns = {'line': 'VARCHAR'},\n                auto_detect = false, filename = true, strict_mode = false,"
        ~ " null_padding = true,\n                max_line_size = " ~ longest
        ~ (", buffer_size = 67108864" if longest == '33554432' else '') ~ "\n            )\n        )"
    ) }}
{%- endmacro %}

{# The first line of a file that is not blank. #}
{% macro duckdb_first_line(file, longest='33554432') -%}
    {%- set rows = run_query(
        "select ltrim(line, chr(65279)) from " ~ duckdb_lines([file], longest) ~ " where trim(line) <> '' limit 1"
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
        {%- if not file.endswith('.gz') -%}
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
    JSON whose signs that are not allowed have place holders, which no text holds: the backslash of an escape that there
    is not, or of half a character (`\ud83d` without its second half), and NUL. Escapes that are right are set aside first.
#}
{% macro hidden_signs(text) -%}
    {{ return(adapter.dispatch('hidden_signs')(text)) }}
{%- endmacro %}

{% macro default__hidden_signs(text) -%}
{%- set aside = namespace(sql="replace(" ~ text ~ ", '\\\\', '" ~ hidden_sign(3) ~ "')") -%}
{%- for escape in right_escapes() -%}
    {%- set kept = hidden_sign(4) ~ '\\1' ~ (hidden_sign(4) ~ '\\2' if loop.first else '') -%}
    {%- set aside.sql = "regexp_replace(" ~ aside.sql ~ ", '" ~ escape ~ "', '" ~ kept ~ "', 'g')" -%}
{%- endfor -%}
{%- set hidden = "replace(replace(" ~ aside.sql ~ ", '\\', '" ~ hidden_sign(1) ~ "'), chr(0), '" ~ hidden_sign(2) ~ "')" -%}
replace(replace({{ hidden }}, '{{ hidden_sign(3) }}', '\\'), '{{ hidden_sign(4) }}', '\')
{%- endmacro %}

{% macro spark__hidden_signs(text) -%}
{%- set aside = namespace(sql="replace(" ~ text ~ ", '\\\\\\\\', '" ~ hidden_sign(3) ~ "')") -%}
{%- for escape in right_escapes() -%}
    {%- set kept = hidden_sign(4) ~ '$1' ~ (hidden_sign(4) ~ '$2' if loop.first else '') -%}
    {%- set aside.sql = "regexp_replace(" ~ aside.sql ~ ", " ~ spark_text(escape) ~ ", '" ~ kept ~ "')" -%}
{%- endfor -%}
{%- set signs = "'\\\\" ~ hidden_sign(4) ~ "\\u0000', '" ~ hidden_sign(1) ~ "\\\\" ~ hidden_sign(2) ~ "'" -%}
replace(translate({{ aside.sql }}, {{ signs }}), '{{ hidden_sign(3) }}', '\\\\')
{%- endmacro %}

{# The escapes that JSON knows, but of the backslash: first those of a character in two halves. #}
{% macro right_escapes() -%}
    {{ return([
        '\\\\(u[dD][89abAB][0-9a-fA-F]{2})\\\\(u[dD][c-fC-F][0-9a-fA-F]{2})',
        '\\\\(["/bfnrt]|u[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|u[dD][0-7][0-9a-fA-F]{2})',
    ]) }}
{%- endmacro %}

{# One of the characters that Unicode keeps from texts. #}
{% macro hidden_sign(number) -%}
    {{ return(['\ufdd0', '\ufdd1', '\ufdd2', '\ufdd3'][number - 1]) }}
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

{#
    Temporary views of files, one for each file system: Spark's SQL takes one path only, so it is a glob of braces with
    all of them. No view where the files' own columns are of types that Spark does not bring together.
#}
{% macro spark_views(files, format, columns, options={}) -%}
    {%- set by_system = {} -%}
    {%- for file in files -%}
        {%- set system = modules.re.match('([a-zA-Z][a-zA-Z0-9+.-]*://[^/]*)?', file)[0] -%}
        {#- Within braces a comma can be escaped; of other signs with a meaning, any one letter stands for them. -#}
        {%- set name = modules.re.sub(spark_glob_sign(), '?', file[system | length:].lstrip('/')) -%}
        {%- do by_system.setdefault(system or 'file://', []).append(name | replace(',', '\\,')) -%}
    {%- endfor -%}
    {%- set settings = ["recursiveFileLookup 'true'"] -%}
    {%- for name, value in options.items() -%}
        {%- do settings.append(name ~ ' ' ~ spark_text(value)) -%}
    {%- endfor -%}
    {%- set views = [] -%}
    {%- for system, names in by_system.items() -%}
        {%- do settings.append('path ' ~ spark_text(system ~ '/{' ~ names | join(',') ~ '}')) -%}
        {%- set view = 'delivered_' ~ local_md5(format ~ columns ~ settings | join(',')) -%}
        {%- set made = spark_script(
            "create or replace temporary view " ~ view ~ (" (" ~ columns ~ ")" if columns else "")
            ~ " using " ~ format ~ " options (" ~ settings | join(', ') ~ "); select true",
            'cannot_merge_schemas', 'select false'
        ) -%}
        {%- do settings.pop() -%}
        {%- if not made.rows[0][0] -%}
            {{ return([]) }}
        {%- endif -%}
        {%- do views.append(view) -%}
    {%- endfor -%}
    {{ return(views) }}
{%- endmacro %}

{# Signs that mean something in the name of a file when it stands in a glob. #}
{% macro spark_glob_sign() -%}
    {{ return('[][{}*?\\\\]') }}
{%- endmacro %}

{# SQL of the rows of views, with `file` and `block`: where the piece of the file begins that a task reads. #}
{% macro spark_rows(views, selected) -%}
    {%- set parts = [] -%}
    {%- for view in views -%}
        {%- do parts.append(
            'select input_file_name() as file, input_file_block_start() as block, ' ~ selected ~ ' from ' ~ view
        ) -%}
    {%- endfor -%}
    {{ return(parts | join(' union all ')) }}
{%- endmacro %}

{#
    SQL of numbered records: `text` is SQL over the columns of `rows`, record_file and record_row. Files are read once
    to count rows and once for the records; both must find the same pieces, so it is an error when they do not.
#}
{% macro spark_numbered(rows, text, files) -%}
    {%- set placed = "select *, monotonically_increasing_id() as place from (" ~ rows ~ ")" -%}
    {%- set meant = [] -%}
    {%- for file in files -%}
        {%- do meant.append(spark_text(file)) -%}
    {%- endfor -%}
select record_file, record_row, {{ text }} as record_text
    from (
        select /*+ broadcast(pieces) */
            placed.*,
            pieces.record_file,
            case
                when placed.place - pieces.first_place between 0 and pieces.row_count - 1
                    then pieces.rows_until - pieces.row_count + placed.place - pieces.first_place + 1
                else raise_error(concat("The file '", placed.file, "' changed while it was read."))
            end as record_row
        from ({{ placed }}) as placed
        left join (
            select *, sum(row_count) over (order by record_file, block) as rows_until
            from (
                select
                    file,
                    block,
                    {{ spark_file_name('file') }} as record_file,
                    min(place) as first_place,
                    count(*) as row_count
                from ({{ placed }})
                group by file, block
            )
            {%- if modules.re.search(spark_glob_sign(), files | join) %}
            where record_file in ({{ meant | join(', ') }})
            {%- endif %}
        ) as pieces
            on placed.file = pieces.file and placed.block = pieces.block
        {%- if modules.re.search(spark_glob_sign(), files | join) %}
        where {{ spark_file_name('placed.file') }} in ({{ meant | join(', ') }})
        {%- endif %}
    )
{%- endmacro %}

{# Spark gives a file's name as a URL. #}
{% macro spark_file_name(file) -%}
regexp_replace(url_decode(replace({{ file }}, '+', '%2B')), '^file:/+', '/')
{%- endmacro %}

{# Files of JSON: those of lines, and documents. The first line of a .json.gz tells, as on DuckDB. #}
{% macro spark_sorted_documents(files) -%}
    {%- set lines = files['lines'] | list -%}
    {%- set packed = [] -%}
    {%- for file in files['documents'] if file.endswith('.gz') -%}
        {%- do packed.append(file) -%}
    {%- endfor -%}
    {%- set of_lines = [] -%}
    {%- if packed -%}
        {%- set rows = run_query(
            "select " ~ spark_file_name('file') ~ " as record_file, min_by(line, struct(block, place)) as line from (\n"
            ~ "select *, monotonically_increasing_id() as place from (" ~ spark_rows(
                spark_views(packed, 'text', 'value string'), "ltrim('\\ufeff', value) as line"
            ) ~ ")) where trim(line) <> '' group by file\n"
            ~ "having " ~ spark_is_json('line') ~ " and left(ltrim(line), 1) = '{'"
            ~ " and from_json(line, 'struct<results: array<string>>').results is null"
        ).rows -%}
        {%- for row in rows -%}
            {%- do of_lines.append(row[0]) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set documents = files['documents'] | reject('in', of_lines) | list -%}
    {%- for file in packed if file in of_lines -%}
        {%- do lines.append(file) -%}
    {%- endfor -%}
    {{ return((lines | sort(case_sensitive=true), documents)) }}
{%- endmacro %}

{# Whether a text is JSON. Spark's reader stops at the end of the first value: within brackets it reads all there is. #}
{% macro spark_is_json(text) -%}
coalesce(cardinality(from_json(concat('[', {{ text }}, ']'), 'array<string>', {{ spark_strictly() }})), 0) = 1
{%- endmacro %}

{% macro spark_strictly() -%}
map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')
{%- endmacro %}

{# A JSON document; where it is none for the signs in it, with place holders for these; else null. #}
{% macro spark_document(content) -%}
case
                    when not is_valid_utf8({{ content }}) then raise_error(
                        concat("The file '", {{ spark_file_name('file') }}, "' is not utf-8 encoded.")
                    )
                    when {{ spark_is_json(content) }} then {{ content }}
                    when {{ spark_is_json(hidden_signs(content)) }} then {{ hidden_signs(content) }}
                end
{%- endmacro %}

{#
    The records of a JSON document as a list of text: elements of an array, or of `results`, or else the document. What
    is no JSON is lines of it, or one record.
#}
{% macro spark_document_records(content, document) -%}
{%- set first = "regexp_extract(" ~ content ~ ", '^\\\\s*([^\\\\n]*)', 1)" -%}
case
                when {{ document }} is null
                    then case
                        when {{ spark_is_json(first) }} or {{ spark_is_json(hidden_signs(first)) }}
                            then split({{ content }}, '\n')
                        else array({{ content }})
                    end
                else transform(
                    coalesce(
                        from_json({{ document }}, 'array<string>', {{ spark_strictly() }}),
                        from_json({{ document }}, 'struct<results: array<string>>', {{ spark_strictly() }}).results,
                        array({{ document }})
                    ),
                    line -> if(
                        {{ content }} = {{ document }}, line,
                        translate(line, '{{ hidden_sign(1) }}{{ hidden_sign(2) }}', '\\\u0000')
                    )
                )
            end
{%- endmacro %}

{#
    Files may differ in their columns and, as those of pandas do, in the types of one: then each is looked at by itself.
    Values are brought to text as DuckDB does it.
#}
{% macro spark_parquet_records(files) -%}
    {%- set views = spark_views(files, 'parquet', '', {'mergeSchema': 'true'}) -%}
    {%- if not views -%}
        {%- for file in files -%}
            {%- do views.extend(spark_views([file], 'parquet', '')) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set names = {} -%}
    {%- set types = {} -%}
    {%- set types_by_view = {} -%}
    {%- for view in views -%}
        {%- do types_by_view.update({view: {}}) -%}
        {%- for row in run_query('describe ' ~ view).rows -%}
            {%- do names.setdefault(row[0] | lower, row[0]) -%}
            {%- do types.setdefault(row[0] | lower, {}).update({row[1]: true}) -%}
            {%- do types_by_view[view].update({row[0] | lower: row[1]}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set parts = [] -%}
    {%- for view, types_here in types_by_view.items() -%}
        {%- set fields = [] -%}
        {%- for key, name in names.items() -%}
            {%- set quoted = '`' ~ (name | replace('`', '``')) ~ '`' -%}
            {%- set common = spark_common_type(types[key] | list) -%}
            {%- if key not in types_here -%}
                {%- do fields.append('null as ' ~ quoted) -%}
            {%- elif common -%}
                {%- do fields.append('cast(' ~ quoted ~ ' as ' ~ common ~ ') as ' ~ quoted) -%}
            {%- elif types_here[key] == 'timestamp' -%}
                {%- do fields.append('cast(' ~ quoted ~ " as string) || '+00' as " ~ quoted) -%}
            {%- else -%}
                {%- do fields.append(quoted) -%}
            {%- endif -%}
        {%- endfor -%}
        {%- do parts.append(spark_rows([view], spark_row_text(fields))) -%}
    {%- endfor -%}
    {{ return(spark_numbered(parts | join(' union all '), spark_with_file('fields'), files)) }}
{%- endmacro %}

{# The type that the values of a Parquet column are cast to, if to any. #}
{% macro spark_common_type(types) -%}
    {%- set whole = ['tinyint', 'smallint', 'int', 'bigint'] -%}
    {%- if types == ['float'] -%}
        {{ return('double') }}
    {%- elif types in (['binary'], ['timestamp_ntz']) -%}
        {{ return('string') }}
    {%- elif types | length == 1 or '<' in types | join -%}
        {{ return(none) }}
    {%- elif types | reject('in', whole) | list == [] -%}
        {{ return('bigint') }}
    {%- elif types | reject('in', whole + ['float', 'double']) | list == [] -%}
        {{ return('double') }}
    {%- endif -%}
    {{ return('string') }}
{%- endmacro %}

{#
    CSV is read strictly, as on DuckDB. Spark's reader takes the columns of one file for those of all, and a quote that
    is never closed for one that closes at the end of the file: so all is looked through for headers and quotes first.
    Files with one header are read together; columns that they lack are null.
#}
{% macro spark_csv_records(files) -%}
    {%- set lines = spark_rows(spark_views(files, 'text', 'value string'), 'value as line') -%}
    {%- set names = {} -%}
    {%- set files_by_header = {} -%}
    {%- set signs = [',', '\t', ';', '|'] -%}
    {%- set are_quotes_closed = [] -%}
    {%- for sign in signs -%}
        {#- A single quote between other signs, as in `5" disk`, opens and closes nothing. -#}
        {%- do are_quotes_closed.append(
            "sum(length(regexp_replace(regexp_replace(line, '(?<=[^\"" ~ sign ~ "])\"(?=[^\"" ~ sign ~ "])', ''), "
            ~ "'[^\"]', ''))) % 2 = 0"
        ) -%}
    {%- endfor -%}
    {%- set seen = run_query(
        "select " ~ spark_file_name('file') ~ " as record_file, min_by(line, struct(block, place)),\n"
        ~ "every(is_valid_utf8(line)),\n" ~ are_quotes_closed | join(',\n')
        ~ "\nfrom (select *, monotonically_increasing_id() as place from (" ~ lines ~ "))\n"
        ~ "group by file order by record_file"
    ) -%}
    {%- for row in seen.rows if row[0] in files -%}
        {%- set separator = csv_separator(row[1]) -%}
        {%- if not row[2] -%}
            {{ exceptions.raise_compiler_error("The file '" ~ row[0] ~ "' is not utf-8 encoded.") }}
        {%- elif not row[3 + signs.index(separator)] -%}
            {{ exceptions.raise_compiler_error(
                "In the file '" ~ row[0] ~ "' a quote is never closed, or stands alone. A field that holds a comma, a "
                ~ "quote or a line break stands in double quotes, and a quote within it is doubled."
            ) }}
        {%- endif -%}
        {%- set header = csv_names(row[1], separator) -%}
        {%- for name in header -%}
            {%- do names.setdefault(name | lower, name) -%}
        {%- endfor -%}
        {%- do files_by_header.setdefault((separator, header | map('lower') | join('\n')), []).append(row[0]) -%}
    {%- endfor -%}
    {%- set parts = [] -%}
    {%- for separator_and_header, files_of_header in files_by_header.items() -%}
        {%- set places = {} -%}
        {%- for key in separator_and_header[1].split('\n') -%}
            {%- do places.update({key: 'column_' ~ loop.index}) -%}
        {%- endfor -%}
        {%- set fields = [] -%}
        {%- for key, name in names.items() -%}
            {%- do fields.append(places.get(key, 'null') ~ ' as `' ~ (name | replace('`', '``')) ~ '`') -%}
        {%- endfor -%}
        {%- set views = spark_views(
            files_of_header, 'csv', places.values() | join(' string, ') ~ ' string, irregular string',
            {
                'header': 'true', 'multiLine': 'true', 'columnNameOfCorruptRecord': 'irregular',
                'sep': separator_and_header[0], 'quote': '"', 'escape': '"',
                'unescapedQuoteHandling': 'RAISE_ERROR', 'maxColumns': '100000',
            }
        ) -%}
        {%- do parts.append(spark_rows(views, 'irregular, ' ~ spark_row_text(fields))) -%}
    {%- endfor -%}
    {%- set text -%}
case
        when irregular is null then {{ spark_with_file('fields') }}
        else raise_error(concat(
            "The row ", record_row, " of file '", record_file, "' has more or fewer fields than the header."
        ))
    end
    {%- endset -%}
    {{ return(spark_numbered(parts | join(' union all '), text, files) if parts else no_records()) }}
{%- endmacro %}

{# Names of the columns of a CSV file, by its header, as DuckDB gives them: none blank, none twice. #}
{% macro csv_names(header, separator=',') -%}
    {%- set names = [] -%}
    {%- set seen = {} -%}
    {%- set part = modules.re.escape(separator) -%}
    {%- for field in modules.re.findall('("(?:[^"]|"")*"|[^' ~ part ~ ']*)' ~ part, header ~ separator) -%}
        {%- set name = (field[1:-1] | replace('""', '"') if field.startswith('"') else field).strip(' ')
            or 'column' ~ loop.index0 -%}
        {%- set again = seen.get(name | lower, 0) -%}
        {%- do seen.update({name | lower: again + 1}) -%}
        {%- do names.append(name ~ '_' ~ again if again else name) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{# SQL of a row's columns as JSON text. #}
{% macro spark_row_text(fields) -%}
to_json(struct({{ fields | join(', ') }}), map('ignoreNullFields', 'false')) as fields
{%- endmacro %}

{# SQL of such a text with the name of the row's file, as DuckDB adds it. #}
{% macro spark_with_file(fields) -%}
concat(left({{ fields }}, length({{ fields }}) - 1), ',', substr(to_json(struct(record_file)), 2))
{%- endmacro %}
