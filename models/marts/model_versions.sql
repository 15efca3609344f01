select
    'encoder' as role,
    cast(null as string) as document_type,
    model_version,
    cast(null as double) as threshold,
    cast(null as {{ list_type('string') }}) as languages,
    precision as numeric_precision,
    maximum_tokens
from {{ ref('int_encoders_loaded') }}

union all

select
    layer as role,
    document_type,
    model_version,
    threshold,
    languages,
    precision as numeric_precision,
    maximum_tokens
from {{ ref('int_classifiers_loaded') }}

union all

select
    'filter' as role,
    document_type,
    model_version,
    threshold,
    languages,
    cast(null as string) as numeric_precision,
    cast(null as int) as maximum_tokens
from {{ ref('int_word_filters_loaded') }}
