-- The notes of two equal rows could contradict each other.
select
    definition,
    code_prefix as listed
from {{ ref('definition_codes') }}
group by definition, code_prefix
having count(*) > 1

union all

select
    definition,
    keyword as listed
from {{ ref('definition_keywords') }}
group by definition, keyword
having count(*) > 1
