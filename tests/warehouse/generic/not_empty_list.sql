{# The list has elements, and none of them is blank. #}
{% test not_empty_list(model, column_name) %}
select {{ column_name }}
from {{ model }}
where
    {{ column_name }} is null
    or cardinality({{ column_name }}) = 0
    or cardinality({{ list_where(column_name, 'element', "trim(element) = ''") }}) > 0
{% endtest %}
