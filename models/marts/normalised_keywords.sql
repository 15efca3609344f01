select
    keyword,
    normalised_keyword
from {{ ref('int_keywords_normalised') }}
