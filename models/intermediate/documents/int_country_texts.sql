{# What is no country as a whole may be several, parted by commas and strokes, or by `and`, too, or have another name in
   brackets. Each holds only where every part is a country: a comma in `Korea, Republic of` parts nothing. #}
{% set readings = {
    'whole': (none, none),
    'commas': (' *[,/，、／+] *', ';'),
    'words': (' *[,/，、／+&] *(and +|und +|et +|y +|e +)?| +(and|und|et|y|e) +| +- +', ';'),
    'brackets': (' *[(（][^)）]*[)）]', ''),
} %}
with

texts as (

    select distinct delivered_text from {{ ref('int_country_mentions') }}

),

forms as (

    select * from {{ ref('country_forms') }}
    where form_kind <> 'state or province'

),

elements as (

    select
        texts.delivered_text,
        element_position,
        {{ trimmed('element') }} as element
    from texts
    {{ unnest_list(country_elements('texts.delivered_text'), 'element', 'element_position') }}

),

parts as (

    {% for pattern, replacement in readings.values() %}
    select
        delivered_text,
        element_position,
        element,
        {{ loop.index }} as reading,
        {% if pattern %}
        {{ each_of_list("split(" ~ regexp_replace_all('element', pattern, replacement) ~ ", ';')") }} as part
        {% else %}
        element as part
        {% endif %}
    from elements
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

formed as (

    select
        delivered_text,
        element_position,
        element,
        reading,
        {{ country_form('part') }} as part_form
    from parts

),

read_parts as (

    select
        formed.delivered_text,
        formed.element_position,
        formed.element,
        formed.reading,
        forms.country_code,
        bool_and(forms.delivered_form is not null) over (
            partition by formed.delivered_text, formed.element_position, formed.reading
        ) as is_understood
    from formed
    left join forms on formed.part_form = forms.delivered_form
    where formed.part_form <> ''

),

judged as (

    select
        *,
        min(case when is_understood then reading end) over (
            partition by delivered_text, element_position
        ) as first_understood
    from read_parts

),

countries as (

    select
        delivered_text,
        array_sort(array_agg(distinct country_code)) as country_codes
    from judged
    where reading = first_understood and country_code is not null
    group by delivered_text

),

not_understood as (

    select
        delivered_text,
        array_sort(array_agg(distinct element)) as not_understood
    from judged
    where first_understood is null
    group by delivered_text

)

select
    texts.delivered_text,
    countries.country_codes,
    not_understood.not_understood
from texts
left join countries on texts.delivered_text = countries.delivered_text
left join not_understood on texts.delivered_text = not_understood.delivered_text
