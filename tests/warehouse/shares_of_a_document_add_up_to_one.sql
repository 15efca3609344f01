{% for mart in ['document_country_shares', 'document_institution_shares'] %}
select
    document_id,
    role,
    sum(fractional_share) as whole
from {{ ref(mart) }}
group by document_id, role
having abs(sum(fractional_share) - 1) > 1e-6
{{ 'union all' if not loop.last }}
{% endfor %}
