with

mentions as (

    select distinct
        document_id,
        institution_role,
        member_position,
        institution_key
    from {{ ref('int_document_organisations') }}

),

-- Each document's members of a role, each of whom stands for an equal part of it.
members as (

    select
        document_id,
        'author' as role,
        author_position as member_position
    from {{ ref('document_authors') }}
    where author_role = 'author'

    union all

    select
        document_id,
        'applicant' as role,
        applicant_position as member_position
    from {{ ref('patent_applicants') }}

),

documents as (

    select
        document_id,
        'author' as role
    from {{ ref('int_papers_deduplicated') }}

    union all

    select
        document_id,
        'applicant' as role
    from {{ ref('int_patents_deduplicated') }}

),

of_members as (

    select
        members.document_id,
        members.role,
        members.member_position,
        mentions.institution_key,
        count(*) over (partition by members.document_id, members.role, members.member_position) as institution_count
    from members
    inner join mentions
        on
            members.document_id = mentions.document_id
            and members.role = mentions.institution_role
            and members.member_position = mentions.member_position

),

members_with_institutions as (

    select distinct
        document_id,
        role,
        member_position
    from of_members

),

counted as (

    select
        members.document_id,
        members.role,
        count(*) as member_count,
        sum(case when known.member_position is null then 1 else 0 end) as unknown_count
    from members
    left join members_with_institutions as known
        on
            members.document_id = known.document_id
            and members.role = known.role
            and members.member_position = known.member_position
    group by members.document_id, members.role

),

-- What no member's institution is known of is left to the institutions that stand beside the authors.
beside_authors as (

    select
        document_id,
        institution_key,
        count(*) over (partition by document_id) as institution_count
    from mentions
    where member_position is null

),

remaining as (

    select
        documents.document_id,
        documents.role,
        coalesce(cast(counted.unknown_count as double) / counted.member_count, 1) as share
    from documents
    left join counted on documents.document_id = counted.document_id and documents.role = counted.role
    where counted.unknown_count is null or counted.unknown_count > 0

),

unioned as (

    select
        of_members.document_id,
        of_members.role,
        of_members.institution_key,
        cast(1 as double) / of_members.institution_count / counted.member_count as share
    from of_members
    inner join counted on of_members.document_id = counted.document_id and of_members.role = counted.role

    union all

    select
        remaining.document_id,
        remaining.role,
        beside_authors.institution_key,
        remaining.share / coalesce(beside_authors.institution_count, 1) as share
    from remaining
    left join beside_authors on remaining.document_id = beside_authors.document_id and remaining.role = 'author'

)

select
    document_id,
    role,
    institution_key,
    1 as whole_count,
    round(sum(share), 12) as fractional_share
from unioned
group by document_id, role, institution_key
