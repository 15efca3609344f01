-- Merging has reached its end: no record shares an id, a DOI or a title key with a record of another paper.
{% for key in ['record_document_id', 'record_doi', 'title_key'] %}
select
    '{{ key }}' as kind,
    {{ key }} as shared_key
from {{ ref('int_papers_identified') }}
where {{ key }} is not null
group by {{ key }}
having count(distinct document_id) > 1
{{ 'union all' if not loop.last }}
{% endfor %}
