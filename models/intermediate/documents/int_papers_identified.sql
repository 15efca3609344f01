{# Records are the same paper when they share an id, a DOI, or a title with year and first author. Sharing is passed
   on: five times through the three keys links any chain met in practice, and a test fails where
   it does not. #}
{% set turns = 5 %}
with

-- Without what is large: abstracts, authors and institutions come back to the survivors in int_papers_deduplicated.
papers as (

    select
        record_file,
        record_row,
        source_system,
        source_name,
        source_record_id,
        record_document_id,
        doi,
        title,
        length(abstract) as abstract_length,
        year,
        publication_date,
        language,
        venue,
        work_type,
        cited_by_count,
        is_retracted,
        delivered_keywords,
        categories,
        first_author,
        country,
        label_is_ai,
        label_source,
        title_key
    from {{ ref('int_papers_unioned') }}
    where rejection_reason is null

),

-- Only the keys go through these windows.
keys as (

    select
        record_file,
        record_row,
        record_document_id,
        doi,
        title_key,
        -- The id that a group takes: OpenAlex's before arXiv's before any other, then the smallest.
        case
            when {{ regexp_first('record_document_id', '^W[0-9]+$') }} <> '' then '1'
            when {{ regexp_first('record_document_id', '^arXiv:') }} <> '' then '2'
            else '3'
        end || record_document_id as group_0
    from papers

),

{% for turn in range(turns) %}
sharing_an_id_{{ turn }} as (

    select
        *,
        min(group_{{ turn * 3 }}) over (partition by record_document_id) as group_{{ turn * 3 + 1 }}
    from {{ 'keys' if loop.first else 'sharing_a_title_' ~ (turn - 1) }}

),

sharing_a_doi_{{ turn }} as (

    select
        *,
        min(group_{{ turn * 3 + 1 }}) over (partition by coalesce(doi, record_document_id)) as group_{{ turn * 3 + 2 }}
    from sharing_an_id_{{ turn }}

),

sharing_a_title_{{ turn }} as (

    select
        *,
        min(group_{{ turn * 3 + 2 }}) over (partition by coalesce(title_key, record_document_id))
            as group_{{ turn * 3 + 3 }}
    from sharing_a_doi_{{ turn }}

),

{% endfor %}
grouped as (

    select
        papers.*,
        substring(
            min(keyed.group_{{ turns * 3 }}) over (partition by keyed.record_document_id), 2, 1000
        ) as document_id
    from papers
    inner join sharing_a_title_{{ turns - 1 }} as keyed
        on papers.record_file = keyed.record_file and papers.record_row = keyed.record_row

),

ranked as (

    select
        *,
        row_number() over (
            partition by document_id
            order by
                abstract_length is null asc,
                first_author is null asc,
                doi is null asc,
                source_system asc,
                abstract_length desc nulls last,
                source_name asc nulls last,
                source_record_id asc nulls last,
                title asc nulls last,
                year asc nulls last,
                record_file asc,
                record_row asc
        ) as fullness_rank
    from grouped

),

-- What the fullest record does not know, the next fullest may.
filled as (

    select
        *,
        {% for column in [
            'doi', 'year', 'publication_date', 'language', 'venue', 'work_type', 'country', 'delivered_keywords'
        ] %}
        {{ first_known(column, 'from_the_fullest') }} as document_{{ column }},
        {% endfor %}
        max(cited_by_count) over (partition by document_id) as document_cited_by_count,
        bool_or(is_retracted) over (partition by document_id) as document_is_retracted
    from ranked
    window
        from_the_fullest as (
            partition by document_id
            order by fullness_rank
            rows between unbounded preceding and unbounded following
        )

)

select
    record_file,
    record_row,
    source_system,
    source_name,
    source_record_id,
    record_document_id,
    document_id,
    fullness_rank = 1 as is_survivor,
    doi as record_doi,
    title_key,
    document_doi as doi,
    document_year as year,
    document_publication_date as publication_date,
    document_language as language,
    document_venue as venue,
    document_work_type as work_type,
    document_cited_by_count as cited_by_count,
    document_is_retracted as is_retracted,
    document_delivered_keywords as delivered_keywords,
    categories,
    document_country as country,
    label_is_ai,
    label_source
from filled
