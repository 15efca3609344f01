with

works as (

    select * from {{ ref('stg_openalex__works') }}

)

select
    works.record_file,
    works.record_row,
    author_position,
    {{ clean_text('coalesce(authorship.author.display_name, authorship.raw_author_name)') }} as author_name,
    nullif(regexp_extract(authorship.author.id, 'A[0-9]+$', 0), '') as author_id,
    nullif(regexp_extract(authorship.author.orcid, '[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$', 0), '') as orcid,
    authorship.is_corresponding,
    authorship.institutions
from works
{{ unnest_list('works.authorships', 'authorship', 'author_position') }}
