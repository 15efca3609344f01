select
    document_id,
    scheme,
    code,
    cast(min(code_position) as integer) as code_position,
    bool_or(is_first) as is_first,
    min(section) as section,
    min(class) as class,
    min(subclass) as subclass,
    min(main_group) as main_group,
    min(subgroup) as subgroup
from {{ ref('int_codes_parsed') }}
where is_wellformed
group by document_id, scheme, code
