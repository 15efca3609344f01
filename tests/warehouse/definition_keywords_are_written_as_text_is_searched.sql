-- Anything but lower-case words and single blanks would match nothing, and a prefix of one word would not be looked up.
select
    definition,
    keyword
from {{ ref('definition_keywords') }}
where
    coalesce({{ regexp_first('keyword', '^[a-z0-9]+( [a-z0-9]+)*$') }}, '') = ''
    or (match_kind = 'prefix' and keyword not like '% %')
