with

papers as (

    select
        record_file,
        record_row,
        record_document_id,
        arxiv_id,
        {{ doi_without_version('doi') }} as doi_key,
        {{ title_key(compared_title('title')) }} as title_key
    from {{ ref('int_papers_unioned') }}
    where rejection_reason is null and not is_superseded

)

-- Hashes, because all records are looked through by them. What they bring together is compared by the texts themselves.
select
    record_file,
    record_row,
    record_document_id,
    arxiv_id,
    {{ hex_to_bigint("substring(md5(doi_key), 1, 15)") }} as doi_hash,
    case
        when length(title_key) >= 4 then {{ hex_to_bigint("substring(md5(title_key), 1, 15)") }}
    end as title_hash
from papers
