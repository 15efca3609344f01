with

records as (

    select * from {{ ref('int_document_records') }}

),

imported_labels as (

    select
        document_id,
        label_source,
        is_ai,
        label_confidence,
        sampling_weight
    from {{ ref('int_labels_imported') }}
    where document_id is not null

),

arxiv_categories as (

    select * from {{ ref('arxiv_categories') }}

),

label_sources as (

    select * from {{ ref('label_sources') }}

),

delivered_labels as (

    select
        document_id,
        coalesce(label_source, 'delivered') as label_source,
        label_is_ai as is_ai,
        cast(null as double) as label_confidence,
        cast(null as double) as sampling_weight
    from records
    where label_is_ai is not null

),

-- What is no arXiv category finds no partner here, so other systems' categories say nothing.
arxiv_labels as (

    select
        records.document_id,
        'arxiv_categories' as label_source,
        bool_or(arxiv_categories.is_ai) as is_ai,
        cast(null as double) as label_confidence,
        cast(null as double) as sampling_weight
    from records
    {{ unnest_list('records.categories', 'delivered_category') }}
    inner join arxiv_categories
        on {{ trimmed('delivered_category_of_list.delivered_category') }} = arxiv_categories.category
    group by records.document_id

),

labels as (

    select * from delivered_labels

    union all

    select * from arxiv_labels

    union all

    select * from imported_labels

),

-- A source that says both yes and no of one document has said nothing sure: null, and kept.
label_per_source as (

    select
        document_id,
        label_source,
        case when bool_and(is_ai) = bool_or(is_ai) then bool_and(is_ai) end as is_ai,
        avg(label_confidence) as label_confidence,
        max(sampling_weight) as sampling_weight
    from labels
    group by document_id, label_source

),

distinct_label_sources as (

    select distinct label_source from label_per_source

),

ranked_priorities as (

    select
        distinct_label_sources.label_source,
        label_sources.label_priority,
        row_number() over (
            partition by distinct_label_sources.label_source
            order by
                label_sources.label_source_prefix = '*' asc,
                length(label_sources.label_source_prefix) desc
        ) as preciseness_rank
    from distinct_label_sources
    inner join label_sources
        on
            label_sources.label_source_prefix = '*'
            or substring(
                {{ lower_case('distinct_label_sources.label_source') }},
                1, length(label_sources.label_source_prefix)
            ) = {{ lower_case('label_sources.label_source_prefix') }}

)

select
    label_per_source.document_id,
    label_per_source.label_source,
    label_per_source.is_ai,
    label_per_source.label_confidence,
    label_per_source.sampling_weight,
    ranked_priorities.label_priority
from label_per_source
inner join ranked_priorities on label_per_source.label_source = ranked_priorities.label_source
where ranked_priorities.preciseness_rank = 1
