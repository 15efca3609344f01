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
        "select * from (\n        select filename as record_file, row_number() over () as record_row,\n"
        ~ "            line as record_text\n"
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
        ~ "            from read_text(" ~ quoted_list(files['documents']) ~ ")\n        )\n    )\n"
        ~ "    where trim(line) <> ''"
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
{{ parts | join("\n\n    union all\n\n    ") or no_records() }}
{%- endmacro %}


{#
    Spark reads the files of a kind through temporary views, whose rows it deals out to tasks: a task has pieces of
    large files and many small files. Rows are numbered without bringing them to one place: a row's number within its
    task, less that of the first row of its piece, plus the rows of all pieces before (a small table, sent to all).
#}
{% macro spark__read_records(files) -%}
    {%- set parts = [] -%}
    {%- if files['lines'] -%}
        {%- set views = spark_views(files['lines'], 'text', 'value string') -%}
        {%- set text -%}
case
        when is_valid_utf8(line) then substring_index(line, '\u0001', 1)
        else raise_error(concat("The record ", record_row, " of file '", record_file, "' is not utf-8 encoded."))
    end
        {%- endset -%}
        {%- do parts.append(
            spark_numbered(spark_rows(views, 'value as line'), text, files['lines']) ~ "\n    where trim(line) <> ''"
        ) -%}
    {%- endif -%}
    {%- if files['documents'] -%}
        {%- set views = spark_views(files['documents'], 'text', 'value string', {'wholetext': 'true'}) -%}
        {%- set rows -%}
select file, block, line from (
            select file, block, explode({{ spark_document_records('content') }}) as line
            from ({{ spark_rows(views, "ltrim('\\ufeff', value) as content") }})
        ) where trim(line) <> ''
        {%- endset -%}
        {%- do parts.append(spark_numbered(rows, 'line', files['documents'])) -%}
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

{#
    The records of a JSON document as a list of text: elements of an array, or of `results`, or else the document; lines
    where it is no JSON. Spark's reader stops at the end of the first value: within brackets it reads all there is.
#}
{% macro spark_document_records(content) -%}
{%- set strictly = "map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')" -%}
case
                when not is_valid_utf8({{ content }}) then array(raise_error(
                    concat("The file '", {{ spark_file_name('file') }}, "' is not utf-8 encoded.")
                ))
                when coalesce(
                    cardinality(from_json(concat('[', {{ content }}, ']'), 'array<string>', {{ strictly }})), 0
                ) <> 1 then split({{ content }}, '\n')
                else coalesce(
                    from_json({{ content }}, 'array<string>', {{ strictly }}),
                    from_json({{ content }}, 'struct<results: array<string>>', {{ strictly }}).results,
                    array({{ content }})
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
    {#- A single quote between other signs, as in `5" disk`, opens and closes nothing. -#}
    {%- set seen = run_query(
        "select " ~ spark_file_name('file') ~ " as record_file, min_by(line, struct(block, place)),\n"
        ~ "every(is_valid_utf8(line)),\n"
        ~ "sum(length(regexp_replace(regexp_replace(line, '(?<=[^\",])\"(?=[^\",])', ''), '[^\"]', ''))) % 2 = 0\n"
        ~ "from (select *, monotonically_increasing_id() as place from (" ~ lines ~ "))\n"
        ~ "group by file order by record_file"
    ) -%}
    {%- for row in seen.rows if row[0] in files -%}
        {%- if not row[2] -%}
            {{ exceptions.raise_compiler_error("The file '" ~ row[0] ~ "' is not utf-8 encoded.") }}
        {%- elif not row[3] -%}
            {{ exceptions.raise_compiler_error(
                "In the file '" ~ row[0] ~ "' a quote is never closed, or stands alone. A field that holds a comma, a "
                ~ "quote or a line break stands in double quotes, and a quote within it is doubled."
            ) }}
        {%- endif -%}
        {%- set header = csv_names(row[1]) -%}
        {%- for name in header -%}
            {%- do names.setdefault(name | lower, name) -%}
        {%- endfor -%}
        {%- do files_by_header.setdefault(header | map('lower') | join('\n'), []).append(row[0]) -%}
    {%- endfor -%}
    {%- set parts = [] -%}
    {%- for header, files_of_header in files_by_header.items() -%}
        {%- set places = {} -%}
        {%- for key in header.split('\n') -%}
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
                'quote': '"', 'escape': '"', 'unescapedQuoteHandling': 'RAISE_ERROR', 'maxColumns': '100000',
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
{% macro csv_names(header) -%}
    {%- set names = [] -%}
    {%- set seen = {} -%}
    {%- for field in modules.re.findall('("(?:[^"]|"")*"|[^,]*),', header ~ ',') -%}
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
