with

texts as (

    select
        delivered_text,
        country_codes
    from {{ ref('int_country_texts') }}
    where country_codes is not null

),

-- Each document's members of a role, each of whom stands for an equal part of it.
members as (

    select
        document_id,
        author_role as role,
        author_position as member_position,
        country_codes,
        country_basis as basis
    from {{ ref('document_authors') }}

    union all

    select
        document_id,
        'applicant' as role,
        applicant_position as member_position,
        country_codes,
        country_basis as basis
    from {{ ref('patent_applicants') }}

),

documents as (

    select
        document_id,
        'author' as role
    from {{ ref('int_papers_deduplicated') }}

    union all

    select
        patents.document_id,
        roles.role
    from {{ ref('int_patents_deduplicated') }} as patents
    cross join (values ('applicant'), ('inventor')) as roles (role)

),

known as (

    select
        document_id,
        role,
        {{ each_of_list('country_codes') }} as country_code,
        basis,
        cast(1 as double) / {{ list_length('country_codes') }} as part_of_member
    from members
    where country_codes is not null

),

counted as (

    select
        document_id,
        role,
        count(*) as member_count,
        sum(case when country_codes is null then 1 else 0 end) as unknown_count
    from members
    group by document_id, role

),

-- What no member's country is known of is left to the countries that the document names as a whole.
remaining as (

    select
        documents.document_id,
        documents.role,
        coalesce(cast(counted.unknown_count as double) / counted.member_count, 1) as share
    from documents
    left join counted
        on documents.document_id = counted.document_id and documents.role = counted.role
    where counted.unknown_count is null or counted.unknown_count > 0

),

named_for_papers as (

    select
        papers.document_id,
        texts.country_codes,
        'document' as basis
    from {{ ref('int_papers_deduplicated') }} as papers
    inner join texts on papers.country = texts.delivered_text

),

institutions_beside_authors as (

    select
        document_id,
        array_sort(array_agg(distinct country_code)) as country_codes,
        'institution' as basis
    from {{ ref('int_document_institutions') }}
    where author_position is null and country_code is not null
    group by document_id

),

of_documents as (

    select * from named_for_papers

    union all

    select * from institutions_beside_authors
    where document_id not in (select document_id from named_for_papers)

),

unioned as (

    select
        known.document_id,
        known.role,
        known.country_code,
        known.basis,
        known.part_of_member / counted.member_count as share
    from known
    inner join counted on known.document_id = counted.document_id and known.role = counted.role

    union all

    select
        remaining.document_id,
        remaining.role,
        {{ each_of_list('of_documents.country_codes') }} as country_code,
        of_documents.basis,
        remaining.share / {{ list_length('of_documents.country_codes') }} as share
    from remaining
    inner join of_documents on remaining.document_id = of_documents.document_id
    where remaining.role = 'author'

    union all

    select
        remaining.document_id,
        remaining.role,
        cast(null as string) as country_code,
        'unknown' as basis,
        remaining.share
    from remaining
    left join of_documents
        on remaining.document_id = of_documents.document_id and remaining.role = 'author'
    where of_documents.document_id is null

    union all

    -- An office of several states is no country.
    select
        patents.document_id,
        'office' as role,
        countries.country_code,
        case
            when countries.country_code is not null then 'office'
            when patents.office_code is not null then 'office of several countries'
            else 'unknown'
        end as basis,
        cast(1 as double) as share
    from {{ ref('int_patents_deduplicated') }} as patents
    left join {{ ref('countries') }} as countries on patents.office_code = countries.country_code

)

select
    unioned.document_id,
    unioned.role,
    unioned.country_code,
    countries.current_code,
    1 as whole_count,
    round(sum(unioned.share), 12) as fractional_share,
    min_by(unioned.basis, case unioned.basis
        when 'delivered' then 1
        when 'institution' then 2
        when 'document' then 3
        when 'affiliation' then 4
        else 5
    end) as basis
from unioned
left join {{ ref('countries') }} as countries on unioned.country_code = countries.country_code
group by unioned.document_id, unioned.role, unioned.country_code, countries.current_code
