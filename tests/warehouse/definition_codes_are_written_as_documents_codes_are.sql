-- A prefix that is not a subclass, main group or group in normal form (G06N, G06F 40, G06N 3/02) would match nothing.
select
    definition,
    code_prefix
from {{ ref('definition_codes') }}
where coalesce({{ regexp_first('code_prefix', '^[A-HY][0-9][0-9][A-Z]( [0-9]+(/[0-9]+)?)?$') }}, '') = ''
