{% set families = ref('int_patent_families') %}
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
            when document_type = 'patent' and {{ date }} is not null then cast(year({{ date }}) as integer)
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

    {% if 'title_abstract' in [var('compared_space'), var('published_space')] %}
    select
        'title_abstract' as space,
        document_id,
        shard,
        text_hash,
        model_version
    from {{ ref('int_document_vectors') }}

    union all
    {% endif %}

    select
        'keywords' as space,
        texts.document_id,
        texts.shard,
        texts.text_hash,
        embeddings.model_version
    from {{ ref('int_keyword_texts') }} as texts
    inner join {{ ref('int_keyword_texts_embedded') }} as embeddings
        on texts.document_id = embeddings.document_id and texts.text_hash = embeddings.text_hash
    inner join {{ ref('int_encoders_loaded') }} as encoders on embeddings.model_version = encoders.model_version

),

{% if var('one_patent_per_family') %}
-- Of each family the first that is compared. So the top_k of a paper are exactly those of so many families, at no cost.
placed_in_families as (

    select
        vectors.*,
        row_number() over (
            partition by vectors.space, coalesce('family ' || families.family_id, vectors.document_id)
            order by families.place_in_family asc nulls last, vectors.document_id asc
        ) as place
    from vectors
    inner join documents on vectors.document_id = documents.document_id
    inner join decisions on vectors.document_id = decisions.document_id
    left join {{ families }} as families on vectors.document_id = families.document_id
    where decisions.is_ai and documents.year is not null

),

first_of_families as (

    select * from placed_in_families
    where place = 1

),

{% endif %}
last_build as (

    {{ as_of_last_build('int_vectors_matched', {
        'space': 'string',
        'document_id': 'string',
        'year': 'integer',
        'text_hash': 'string',
        'model_version': 'string',
    }) }}

)

select
    vectors.space,
    vectors.document_id,
    documents.document_type,
    documents.year,
    documents.year_basis,
    vectors.text_hash,
    vectors.model_version,
    vectors.shard,
    last_build.document_id is not null as is_unchanged
from {{ 'first_of_families' if var('one_patent_per_family') else 'vectors' }} as vectors
inner join documents on vectors.document_id = documents.document_id
inner join decisions on vectors.document_id = decisions.document_id
left join last_build
    on
        vectors.space = last_build.space
        and vectors.document_id = last_build.document_id
        and documents.year = last_build.year
        and vectors.text_hash = last_build.text_hash
        and vectors.model_version = last_build.model_version
where decisions.is_ai and documents.year is not null
