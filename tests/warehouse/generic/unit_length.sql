{# The vector is of length one. #}
{% test unit_length(model, column_name) %}
select {{ column_name }}
from {{ model }}
where abs({{ inner_product(column_name, column_name) }} - 1) > 0.001
{% endtest %}
