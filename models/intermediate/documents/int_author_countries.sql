with

patents as (

    select
        document_id,
        inventors,
        applicants
    from {{ ref('int_patents_deduplicated') }}

),

texts as (

    select
        delivered_text,
        country_codes
    from {{ ref('int_country_texts') }}
    where country_codes is not null

),

authors as (

    select
        papers.document_id,
        cast(author_position as integer) as author_position,
        author.author_name,
        author.country_codes,
        author.affiliation
    from {{ ref('int_papers_deduplicated') }} as papers
    {{ unnest_list('papers.authors', 'author', 'author_position') }}

    union all

    select
        patents.document_id,
        cast(author_position as integer) as author_position,
        author.author_name,
        author.country_codes,
        author.affiliation
    from patents
    {{ unnest_list('patents.inventors', 'author', 'author_position') }}

),

authors_with_texts as (

    select
        document_id,
        author_position,
        {{ each_of_list('country_codes') }} as country_text
    from authors
    where {{ list_length('country_codes') }} > 0

),

authors_with_places as (

    select
        document_id,
        author_position,
        {{ each_of_list(affiliation_places('affiliation')) }} as place
    from authors
    where affiliation is not null and {{ list_length('country_codes') }} = 0

),

applicants as (

    select
        patents.document_id,
        {{ person_form('applicant.applicant_name') }} as person_form,
        applicant.country_code as country_text
    from patents
    {{ unnest_list('patents.applicants', 'applicant', 'applicant_position') }}

),

-- From the surest source to the least sure.
unioned as (

    select
        authors_with_texts.document_id,
        authors_with_texts.author_position,
        {{ each_of_list('texts.country_codes') }} as country_code,
        1 as source_rank
    from authors_with_texts
    inner join texts on authors_with_texts.country_text = texts.delivered_text

    union all

    select
        document_id,
        author_position,
        country_code,
        2 as source_rank
    from {{ ref('int_document_institutions') }}
    where author_position is not null and country_code is not null

    union all

    select
        authors_with_places.document_id,
        authors_with_places.author_position,
        places.country_code,
        3 as source_rank
    from authors_with_places
    inner join {{ ref('int_affiliation_places') }} as places on authors_with_places.place = places.place

    union all

    -- An inventor who applied, too.
    select
        authors.document_id,
        authors.author_position,
        {{ each_of_list('texts.country_codes') }} as country_code,
        4 as source_rank
    from authors
    inner join applicants
        on
            authors.document_id = applicants.document_id
            and {{ person_form('authors.author_name') }} = applicants.person_form
    inner join texts on applicants.country_text = texts.delivered_text

),

ranked as (

    select
        *,
        min(source_rank) over (partition by document_id, author_position) as best_rank
    from unioned

)

select distinct
    document_id,
    author_position,
    country_code,
    case source_rank
        when 1 then 'delivered'
        when 2 then 'institution'
        when 3 then 'affiliation'
        when 4 then 'applicant'
    end as country_basis
from ranked
where source_rank = best_rank
