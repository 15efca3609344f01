with

families as (

    select * from {{ ref('int_document_families') }}
    where year is not null

),

subclasses as (

    select
        document_id,
        subclass as context,
        row_number() over (
            partition by document_id
            order by bool_or(is_first) desc, min(code_position), subclass
        ) as context_position
    from {{ ref('int_document_codes') }}
    group by document_id, subclass

),

papers as (

    select * from {{ ref('int_papers_deduplicated') }}

),

categories as (

    select
        papers.document_id,
        {{ lower_case(trimmed('category')) }} as context,
        min(category_position) as category_position
    from papers
    {{ unnest_list('papers.categories', 'category', 'category_position') }}
    where {{ trimmed('category') }} <> ''
    group by papers.document_id, {{ lower_case(trimmed('category')) }}

),

contexts as (

    select
        document_id,
        context,
        context_position
    from subclasses

    union all

    select
        document_id,
        context,
        row_number() over (
            partition by document_id
            order by category_position, context
        ) as context_position
    from categories

),

placed as (

    select
        families.document_id,
        families.document_type,
        families.family_key,
        families.year,
        contexts.context,
        contexts.context_position
    from families
    inner join contexts on families.document_id = contexts.document_id
    where contexts.context_position <= {{ most_nodes() }}

),

family_sizes as (

    select
        document_type,
        family_key,
        count(distinct document_id) as documents
    from placed
    group by document_type, family_key

)

select
    placed.document_id,
    placed.document_type,
    placed.year,
    placed.context,
    cast(placed.context_position as integer) as context_position,
    1 / cast(family_sizes.documents as double) as weight
from placed
inner join family_sizes
    on placed.document_type = family_sizes.document_type and placed.family_key = family_sizes.family_key
