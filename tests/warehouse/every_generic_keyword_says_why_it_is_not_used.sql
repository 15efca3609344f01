-- A keyword of a published list is switched off only with a reason beside it.
select
    definition,
    keyword
from {{ ref('definition_keywords') }}
where not is_used and note is null
