with

mentions as (

    select * from {{ ref('int_country_mentions') }}

),

texts as (

    select * from {{ ref('int_country_texts') }}

),

listed as (

    select
        mentions.source_system,
        mentions.source_name,
        mentions.field,
        element,
        mentions.records
    from mentions
    inner join texts on mentions.delivered_text = texts.delivered_text
    {{ unnest_list('texts.not_understood', 'element') }}

)

select
    source_system,
    source_name,
    field,
    substring(element, 1, 100) as value,
    cast(sum(records) as bigint) as records
from listed
group by source_system, source_name, field, substring(element, 1, 100)
