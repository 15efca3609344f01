{% set rule_definitions = "'" ~ var('rule_definitions') | join("', '") ~ "'" %}

with

documents as (

    select * from {{ ref('int_documents_unioned') }}
    where {{ trimmed('match_text') }} <> ''

),

document_languages as (

    select * from {{ ref('int_document_languages') }}

),

labels as (

    select * from {{ ref('int_labels_resolved') }}
    where is_ai is not null

),

matches as (

    select
        document_id,
        bool_or(is_match) as is_match_of_any,
        bool_and(is_match) as is_match_of_all
    from {{ ref('int_documents_matched_to_definitions') }}
    where definition in ({{ rule_definitions }})
    group by document_id

),

subclasses as (

    select distinct
        document_id,
        subclass
    from {{ ref('int_document_codes') }}
    where subclass is not null

),

delivered_categories as (

    select
        document_id,
        categories
    from {{ ref('int_papers_deduplicated') }}
    where {{ list_length('categories') }} > 0

    union all

    select
        document_id,
        {{ list_ordered('subclass', 'subclass') }} as categories
    from subclasses
    group by document_id

),

keyed as (

    select
        documents.document_id,
        documents.document_type,
        documents.text_hash,
        documents.title,
        documents.abstract,
        document_languages.language,
        documents.year,
        documents.source_name,
        delivered_categories.categories,
        labels.label_source,
        labels.label_priority,
        labels.is_ai,
        labels.label_confidence,
        labels.sampling_weight,
        coalesce(matches.is_match_of_any, false) as is_match_of_any,
        coalesce(matches.is_match_of_all, false) as is_match_of_all,
        {{ letters_of_title('documents.title', 'documents.document_id') }} as title_key
    from documents
    inner join document_languages on documents.document_id = document_languages.document_id
    inner join labels on documents.document_id = labels.document_id
    left join matches on documents.document_id = matches.document_id
    left join delivered_categories on documents.document_id = delivered_categories.document_id

),

parted as (

    select
        *,
        {{ split_of('title_key') }} as split,
        case
            when is_ai <> is_match_of_any or is_match_of_any <> is_match_of_all then 'boundary'
            else 'easy'
        end as stratum
    from keyed

),

layers as (

    select 'outer' as layer

    union all

    select 'inner' as layer

)

select
    parted.document_id,
    parted.document_type,
    layers.layer,
    parted.text_hash,
    parted.title,
    parted.abstract,
    parted.language,
    parted.year,
    parted.source_name,
    parted.categories,
    parted.label_source,
    parted.is_ai,
    parted.label_confidence,
    parted.sampling_weight,
    parted.split,
    parted.stratum,
    parted.title_key
from parted
cross join layers
where layers.layer = 'outer' or parted.label_priority <= {{ var('inner_label_priority') }}
