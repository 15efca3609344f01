{#
  Rows of a table of this schema as the last build left it, for a model that has to read it before this build
  replaces it. No rows where there is none, where it lacks one of the columns, and with --full-refresh.
  columns: names and types.
  schema: another schema than this one's.
  is_register: the table outlives --full-refresh.
#}
{% macro as_of_last_build(table, columns, schema=none, is_register=false) -%}
    {%- set relation = none -%}
    {%- if execute and (is_register or not flags.FULL_REFRESH) -%}
        {%- set relation = load_cached_relation(
            api.Relation.create(database=this.database, schema=schema or this.schema, identifier=table)
        ) -%}
    {%- endif -%}
    {%- if relation is not none -%}
        {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
        {%- if columns.keys() | reject('in', there) | list -%}
            {%- set relation = none -%}
        {%- endif -%}
    {%- endif -%}
    select
        {%- for name, type in columns.items() %}
        {% if relation is none %}cast(null as {{ type }}) as {% endif %}{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    {% if relation is none %}where 1 = 0{% else %}from {{ relation }}{% endif %}
{%- endmacro %}
