{#
  SQL of the rows of a relation, with `document_name`: the name in a column as it is written there, as the id of a work of
  OpenAlex that is written as an address, and as a publication number that is written in another way. A row comes once for
  each that differs.
#}
{% macro forms_of_name(relation, name) -%}
    select
        *,
        {{ name }} as document_name
    from {{ relation }}

    union

    select
        *,
        {{ regexp_first(name, '^(.*/)?(W[0-9]+)$', 2) }} as document_name
    from {{ relation }}

    union

    select
        *,
        {{ clean_publication_number(name) }} as document_name
    from {{ relation }}
{%- endmacro %}
