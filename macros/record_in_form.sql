{#
    A record as its system gives it in JSON, where it came another way: with a wrapper around each list and element, as a
    round trip of BigQuery through Parquet leaves them; with an object in the place of a list; with lists and objects as
    text, in JSON or as Python prints them, as tables hold them; with text in the place of objects. Other records stay as
    they are, which one look at their text tells.

    shapes   The lists of the record by field: `field` is that of an element which text alone stands for, blank where the
             elements are text; `parts` says what plain text may hold several of, `names` or `codes`; `is_one` that the
             record has an object there, not a list.
    quick    Patterns without which a record need not be looked through, found faster: SQL that is true where one is.
#}
{% macro record_in_form(record_text, shapes, quick='true') -%}
{%- set of_kind = {'names': [], 'codes': [], 'text': [], 'objects': [], 'one': []} -%}
{%- for field, shape in shapes.items() -%}
    {%- do of_kind['objects' if shape.field else 'text'].append(field) -%}
    {%- if shape.get('parts') -%}
        {%- do of_kind[shape.parts].append(field) -%}
    {%- elif shape.get('is_one') -%}
        {%- do of_kind.one.append(field) -%}
    {%- endif -%}
{%- endfor -%}
{%- set fields_of = {} -%}
{%- for kind, fields in of_kind.items() -%}
    {%- do fields_of.update({kind: "entry.key in ('" ~ fields | join("', '") ~ "')"}) -%}
{%- endfor -%}
{%- set lists = shapes | list | reject('in', of_kind.one) | list -%}
{%- set other_forms = [
    '\\{ *"(?:element|item|array_element)" *:', '"(?:' ~ lists | join('|') ~ ')" *: *["{]',
    '"(?:' ~ of_kind.objects | join('|') ~ ')" *: *\\[ *"',
] -%}
{%- for kind, start in {'text': '\\[ *\\{', 'one': '["\\[]'}.items() if of_kind[kind] -%}
    {%- do other_forms.append('"(?:' ~ of_kind[kind] | join('|') ~ ')" *: *' ~ start) -%}
{%- endfor -%}
{%- set as_json = list_at(list_map(
    list_of([to_json_text(list_of(['plain']))]), 'listed', "substring(listed, 2, length(listed) - 2)"
), 1) -%}
{%- set name_of_field -%}
case
                                        {%- for field, shape in shapes.items() %}
                                        when entry.key = '{{ field }}' then '{{ shape.field }}'
                                        {%- endfor %}
                                    end
{%- endset -%}
{%- set separated -%}
case
                                when {{ regexp_first('entry.value', '^[ \\n]*(?:[\\[{("\\x27]|array[(])') }} <> ''
                                    then {{ bracketed_elements('entry.value') }}
                                {%- for kind, commas in {'codes': true, 'names': false}.items() if of_kind[kind] %}
                                when {{ fields_of[kind] }} then {{ separated_elements('entry.value', commas) }}
                                {%- endfor %}
                            end
{%- endset -%}
{%- set elements = without_wrappers(
    "coalesce(" ~ json_elements('entry.value') ~ ", " ~ separated ~ ", " ~ list_of(['entry.value']) ~ ")"
) -%}
{%- set element -%}
case
                                    {%- if of_kind.text %}
                                    when {{ fields_of.text }}
                                        then {{ list_at(list_map(list_of([element_name('plain')]), 'plain', as_json), 1) }}
                                    {%- endif %}
                                    when substring(plain, 1, 1) = '{' then plain
                                    else '{"' || {{ name_of_field }} || '":' || {{ as_json }} || '}'
                                end
{%- endset -%}
{%- set read = list_map(
    list_where(list_map(elements, 'plain', trimmed('plain')), 'plain', "plain <> ''"), 'plain', element
) -%}
{%- set value -%}
case
                            {%- if of_kind.one %}
                            when {{ fields_of.one }} then {{ list_at(read, 1) }}
                            {%- endif %}
                            when entry.key in ('{{ lists | join("', '") }}') then '[' || {{ list_join(read, ',') }} || ']'
                            else {{ list_at(list_map(list_of(['entry.value']), 'plain', as_json), 1) }}
                        end
{%- endset -%}
{%- set field = (
    list_at(list_map(list_of(['entry.key']), 'plain', as_json), 1) ~ " || ':' || coalesce(" ~ value ~ ", 'null')"
) -%}
case
            when {{ quick }} and {{ regexp_first(record_text, other_forms | join('|')) }} <> ''
                then coalesce(
                    '{' || {{ list_join(list_map(json_entries(record_text), 'entry', field), ',') }} || '}', {{ record_text }}
                )
            else {{ record_text }}
        end
{%- endmacro %}
