{% set date = var('matched_patent_year') ~ '_date' %}
with

documents as (

    select
        document_id,
        document_type,
        {% if var('matched_patent_year') == 'year' %}
        year,
        year_basis
        {% else %}
        case
            when document_type = 'patent' and {{ date }} is not null then cast(year({{ date }}) as bigint)
            else year
        end as year,
        case
            when document_type = 'patent' and {{ date }} is not null then '{{ var('matched_patent_year') }}'
            else year_basis
        end as year_basis
        {% endif %}
    from {{ ref('int_documents_unioned') }}

),

decisions as (

    select * from {{ ref('int_documents_decided') }}

),

vectors as (

    {% if 'title_abstract' in [var('embedding_text'), var('published_embedding_text')] %}
    select
        'title_abstract' as embedding_text,
        document_id,
        shard,
        text_hash,
        embedding,
        model_version
    from {{ ref('int_document_vectors') }}

    union all
    {% endif %}

    select
        'keywords' as embedding_text,
        texts.document_id,
        texts.shard,
        texts.text_hash,
        embeddings.embedding,
        embeddings.model_version
    from {{ ref('int_keyword_texts') }} as texts
    inner join {{ ref('int_keyword_texts_embedded') }} as embeddings
        on texts.document_id = embeddings.document_id and texts.text_hash = embeddings.text_hash
    inner join {{ ref('int_encoders_loaded') }} as encoders on embeddings.model_version = encoders.model_version

)

select
    vectors.embedding_text,
    vectors.document_id,
    documents.document_type,
    documents.year,
    documents.year_basis,
    lpad(cast(documents.year as string), 4, '0') || '-' || vectors.shard as year_shard,
    vectors.text_hash,
    vectors.embedding,
    vectors.model_version
from vectors
inner join documents on vectors.document_id = documents.document_id
inner join decisions on vectors.document_id = decisions.document_id
where decisions.is_ai and documents.year is not null
