{# The column lies between two values, both allowed; nulls pass. #}
{% test between(model, column_name, at_least, at_most) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} not between {{ at_least }} and {{ at_most }}
{% endtest %}
