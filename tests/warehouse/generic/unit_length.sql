{# The vector is of length one. #}
{% test unit_length(model, column_name) %}
select {{ column_name }}
from {{ model }}
where abs(array_inner_product({{ column_name }}, {{ column_name }}) - 1) > 0.001
{% endtest %}
