with

authorships as (

    select * from {{ ref('stg_openalex__authorships') }}

)

select
    authorships.record_file,
    authorships.record_row,
    authorships.author_position,
    institution_position,
    {{ clean_text('institution.display_name') }} as institution_name,
    nullif(regexp_extract(institution.id, 'I[0-9]+$', 0), '') as institution_id,
    nullif(regexp_extract(institution.ror, '[^/]+$', 0), '') as ror,
    upper({{ clean_text('institution.country_code') }}) as country_code
from authorships
{{ unnest_list('authorships.institutions', 'institution', 'institution_position') }}
