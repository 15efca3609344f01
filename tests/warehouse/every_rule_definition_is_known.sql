-- A misspelt name in the variable rule_definitions would silently match nothing.
{% for definition in var('rule_definitions') %}
select '{{ definition }}' as definition
where '{{ definition }}' not in (select known.definition from {{ ref('definitions') }} as known)
{{ 'union all' if not loop.last }}
{% else %}
select cast(null as varchar) as definition
where 1 = 0
{% endfor %}
