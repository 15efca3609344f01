{# A record is compared with so many that follow it among those of its DOI or title: never each with each. #}
{% set reach = 8 %}
with

keyed as (

    select * from {{ ref('int_papers_keyed') }}

),

memberships as (

    {% for key in ['doi', 'title'] %}
    select
        '{{ key }}' as key_kind,
        {{ key }}_hash as shared_key,
        record_file,
        record_row
    from keyed
    where {{ key }}_hash is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

shared as (

    select
        key_kind,
        shared_key
    from memberships
    group by key_kind, shared_key
    having count(*) > 1

),

-- From here on there are few: only records that share a DOI or a title with another one.
candidates as (

    select
        memberships.key_kind,
        memberships.shared_key,
        records.record_file,
        records.record_row,
        records.record_document_id,
        records.arxiv_id,
        records.doi,
        records.year,
        records.work_type,
        records.venue,
        records.authors,
        {{ compared_title('records.title') }} as compared_title,
        {{ compared_title('records.venue') }} as compared_venue,
        {{ compared_name('records.first_author') }} as first_name,
        {{ list_length('records.authors') }} as author_count,
        {{ compared_text("substring(records.abstract, 1, 600)") }} as compared_abstract
    from memberships
    inner join shared
        on memberships.key_kind = shared.key_kind and memberships.shared_key = shared.shared_key
    inner join {{ ref('int_papers_unioned') }} as records
        on memberships.record_file = records.record_file and memberships.record_row = records.record_row

),

described as (

    select
        key_kind,
        shared_key,
        record_file,
        record_row,
        record_document_id,
        arxiv_id,
        {{ doi_without_version('doi') }} as doi_key,
        nullif({{ regexp_first('doi', '/[^/]*(97[89][0-9-]{10,14})', 1) }}, '') as book_number,
        {{ title_key('compared_title') }} as title_key,
        {{ compared_words('compared_title') }} as title_words,
        {{ weight_of_title('compared_title') }} as title_weight,
        {{ kind_of_title('compared_title') }} as title_kind,
        {{ list_join(regexp_all('compared_title', '[0-9]+'), ' ') }} as title_numbers,
        {{ parts_of_title('compared_title') }} as title_parts,
        nullif(first_name.family, '') as author_family,
        nullif(first_name.initial, '') as author_initial,
        first_name.words as author_words,
        nullif({{ regexp_first(
            without_umlauts(compared_text(
                'authors[' ~ list_length('authors') ~ ' - 1 + ' ~ first_index() ~ '].author_name'
            )), '[^ ]+$'
        ) }}, '') as last_author_family,
        author_count,
        {{ compared_words(without_umlauts(compared_text(
            list_join(list_map('authors', 'author', 'author.author_name'), ' ')
        ))) }}
            as words_of_authors,
        year,
        {{ is_of_preprint('work_type', 'arxiv_id', 'doi', 'venue') }} as is_preprint,
        nullif(replace(compared_venue, ' ', ''), '') as venue_key,
        {{ compared_words('compared_abstract') }} as abstract_words
    from candidates

),

placed as (

    select
        *,
        row_number() over (
            partition by key_kind, shared_key
            order by
                title_key asc nulls last,
                year asc nulls last,
                author_words asc nulls last,
                record_document_id asc,
                record_file asc,
                record_row asc
        ) as place
    from described

),

reached as (

    select
        placed.*,
        {{ each_of_list(list_of(range(1, reach + 1) | list)) }} as distance
    from placed

),

measured as (

    select
        first.key_kind,
        first.record_document_id as first_id,
        second.record_document_id as second_id,
        first.title_weight,
        first.title_kind,
        coalesce(first.title_kind, '') = coalesce(second.title_kind, '')
        and first.title_parts = second.title_parts as is_same_kind,
        first.title_numbers = second.title_numbers as has_same_numbers,
        abs(first.year - second.year) as year_gap,
        first.is_preprint <> second.is_preprint as is_preprint_and_venue,
        first.is_preprint or second.is_preprint as is_any_preprint,
        first.author_words is null or second.author_words is null as is_any_nameless,
        {{ common_words('first.words_of_authors', 'second.words_of_authors') }} as common_words_of_authors,
        coalesce(
            first.author_words = second.author_words
            or first.author_family = second.author_family
            and coalesce(first.author_initial, second.author_initial, '')
            = coalesce(second.author_initial, first.author_initial, ''),
            false
        ) as is_same_first_author,
        coalesce(
            first.author_count > 1 and first.author_count = second.author_count
            and first.last_author_family = second.last_author_family,
            false
        ) as is_same_team,
        coalesce(first.arxiv_id <> second.arxiv_id, false) as has_other_arxiv_id,
        -- 10.5555 and a number is ACM's for what has its DOI elsewhere.
        coalesce(
            first.doi_key <> second.doi_key
            and {{ regexp_first(
                "first.doi_key || ' ' || second.doi_key", '(^| )10[.]5555/[0-9]+[.]?[0-9]*( |$)'
            ) }} = '',
            false
        ) as has_other_doi,
        -- Of two numbers of books each is an edition or a volume.
        coalesce(first.book_number <> second.book_number, false) as has_other_book_number,
        coalesce(first.venue_key = second.venue_key, false) as is_same_venue,
        {{ shared_of_words('first.abstract_words', 'second.abstract_words') }} as shared_of_abstract,
        {{ shared_of_words('first.title_words', 'second.title_words') }} as shared_of_title
    from reached as first
    inner join placed as second
        on
            first.key_kind = second.key_kind
            and first.shared_key = second.shared_key
            and first.place + first.distance = second.place
            -- Not only their hashes.
            and case first.key_kind
                when 'doi' then first.doi_key = second.doi_key
                else first.title_key = second.title_key
            end

),

judged as (

    select
        *,
        coalesce(
            shared_of_abstract >= case when title_kind is null and not has_other_arxiv_id then 0.6 else 0.8 end, false
        ) as is_same_abstract,
        coalesce(year_gap <= case when is_any_preprint then 2 else 1 end, false) as is_near_in_time
    from measured
    where first_id <> second_id

),

compared as (

    select
        *,
        -- Authors may be delivered in another order, and as one text.
        is_same_first_author or common_words_of_authors >= 2 as is_same_author
    from judged

)

select distinct
    first_id,
    second_id,
    key_kind as merge_rule
from compared
where
    key_kind = 'doi' and is_same_kind and (
        shared_of_title >= 0.5
        or is_same_author and shared_of_title >= 0.25
        or is_same_author and is_same_abstract
        or title_kind is null and coalesce(shared_of_abstract >= 0.8, false)
    )
    and (not has_other_arxiv_id or shared_of_title >= 0.8 or is_same_abstract)
    or key_kind = 'title' and is_same_kind and has_same_numbers and not has_other_book_number and (
        is_same_author and is_same_abstract and coalesce(is_near_in_time or year_gap <= 2 and not has_other_doi, true)
        or is_any_nameless and is_same_abstract
        and coalesce(year_gap = 0 or year_gap = 1 and not has_other_doi, false)
        or is_same_author and is_near_in_time and title_kind is null and not has_other_arxiv_id
        and (
            not has_other_doi
            or is_preprint_and_venue
            or is_same_venue and year_gap = 0 and title_weight >= 20
        )
        and (
            title_weight >= 20
            or is_same_team
            or year_gap = 0 and is_same_venue
        )
    )
