{# A whole number with a comma before every three digits, as people read it: 1,234,567. #}
{% macro number_in_words(number) -%}
{%- set digits = "reverse(cast(cast(" ~ number ~ " as bigint) as string))" -%}
{%- set parted = "reverse(" ~ regexp_replace_all(digits, "([0-9][0-9][0-9])", group_reference(1) ~ ",") ~ ")" -%}
{{ regexp_replace_all(parted, "^(-?),", group_reference(1)) }}
{%- endmacro %}

{# A share as a percentage that is 0 only for none and 100 only for all. #}
{% macro percent_in_words(part, whole) -%}
case
            when {{ part }} = 0 then '0%'
            when {{ part }} * 100.0 < {{ whole }} then 'under 1%'
            when {{ part }} < {{ whole }} and {{ part }} * 100.0 > {{ whole }} * 99 then 'over 99%'
            when {{ part }} * 10.0 < {{ whole }}
                then cast(round(cast({{ part }} as double) * 100 / {{ whole }}, 1) as string) || '%'
            else cast(cast(round({{ part }} * 100.0 / {{ whole }}) as integer) as string) || '%'
        end
{%- endmacro %}
