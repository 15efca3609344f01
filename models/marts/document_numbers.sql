{{ config(
    materialized='incremental', unique_key='document_id', incremental_strategy='append', full_refresh=false,
    on_schema_change='fail'
) }}

with

documents as (

    select
        document_id,
        document_type,
        -- 49 bits, at most 15 digits: what Excel and R keep whole, and so does every JSON parser and float column.
        cast(
            floor({{ hex_to_bigint("substring(md5(document_id), 1, 13)") }} / cast(8 as double)) as bigint
        ) as hashed_number
    from {{ ref('int_documents_unioned') }}
    {% if is_incremental() %}
    where document_id not in (select numbers.document_id from {{ this }} as numbers)
    {% endif %}

),

-- Two documents in some millions share a hash: the later one takes the next number.
taken as (

    {% if is_incremental() %}
    select document_number from {{ this }}
    {% else %}
    select cast(null as bigint) as document_number
    where false
    {% endif %}

),

ranked as (

    select
        documents.document_id,
        documents.document_type,
        documents.hashed_number,
        row_number() over (partition by documents.hashed_number order by documents.document_id) - 1
        + case when taken.document_number is null then 0 else 1 end as shift
    from documents
    left join taken on documents.hashed_number = taken.document_number

)

select
    document_id,
    document_type,
    cast(hashed_number + shift as bigint) as document_number
from ranked
