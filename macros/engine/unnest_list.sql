{#
    One row per element of a list, with its position from 1.
    A join clause: `from works {{ unnest_list('works.authorships', 'authorship', 'author_position') }}`.
    Rows whose list is null or empty vanish, on both engines.
#}
{% macro unnest_list(list, element, position='position') -%}
    {{ return(adapter.dispatch('unnest_list')(list, element, position)) }}
{%- endmacro %}

{% macro default__unnest_list(list, element, position) -%}
cross join lateral (
        select
            unnest({{ list }}) as {{ element }},
            generate_subscripts({{ list }}, 1) as {{ position }}
    ) as {{ element }}_of_list
{%- endmacro %}

{% macro spark__unnest_list(list, element, position) -%}
cross join lateral (
        select
            exploded.col as {{ element }},
            cast(exploded.pos + 1 as bigint) as {{ position }}
        from posexplode({{ list }}) as exploded
    ) as {{ element }}_of_list
{%- endmacro %}
