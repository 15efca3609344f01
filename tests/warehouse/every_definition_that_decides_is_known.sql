-- A misspelt name in the variable decision_definitions would silently decide nothing.
{% for definition in var('decision_definitions') %}
select '{{ definition }}' as definition
where '{{ definition }}' not in (select known.definition from {{ ref('definitions') }} as known)
{{ 'union all' if not loop.last }}
{% else %}
select cast(null as varchar) as definition
where 1 = 0
{% endfor %}
