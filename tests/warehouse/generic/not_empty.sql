{# The table has rows. #}
{% test not_empty(model) %}
select count(*) as number_of_rows
from {{ model }}
having count(*) = 0
{% endtest %}
