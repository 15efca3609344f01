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
    {%- for file in files['documents'] if (file | lower).endswith('.gz') -%}
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
