{# The list has elements, and none of them is blank. #}
{% test not_empty_list(model, column_name) %}
select {{ column_name }}
from {{ model }}
where
    {{ list_length(column_name) }} = 0
    or {{ list_length(list_where(column_name, 'element', trimmed('element') ~ " = ''")) }} > 0
{% endtest %}
