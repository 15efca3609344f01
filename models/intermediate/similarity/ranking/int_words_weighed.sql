with

patents as (

    select * from {{ ref('int_document_words') }}
    where document_type = 'patent'

),

stop_words as (

    select stop_word from {{ ref('stop_words') }}
    where language = 'en'

),

words as (

    select {{ each_of_list('words') }} as word
    from patents

),

counted as (

    select
        word,
        count(*) as patents_with_word
    from words
    where word not like '%#%'
    group by word

),

size as (

    select count(*) as patents
    from patents

)

-- Whole millionths, so that sums do not depend on their order.
select
    counted.word,
    counted.patents_with_word,
    cast(
        round(
            1000000 * ln(1 + (size.patents - counted.patents_with_word + 0.5) / (counted.patents_with_word + 0.5))
        ) as bigint
    ) as weight
from counted
cross join size
left join stop_words on counted.word = stop_words.stop_word
where stop_words.stop_word is null
