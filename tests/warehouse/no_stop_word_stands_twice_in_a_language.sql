-- A doubled word would double the phrases joined to it.
select
    language,
    stop_word
from {{ ref('stop_words') }}
group by language, stop_word
having count(*) > 1
