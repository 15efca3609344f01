with

survivors as (

    select * from {{ ref('int_patents_identified') }}
    where is_survivor

),

records as (

    select * from {{ ref('int_patents_unioned') }}

)

select
    survivors.*,
    records.title,
    records.abstract,
    records.inventors,
    records.applicants,
    records.codes
from survivors
inner join records
    on survivors.record_file = records.record_file and survivors.record_row = records.record_row
