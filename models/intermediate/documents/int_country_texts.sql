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

formed as (

    select
        *,
        {{ country_form('element') }} as element_form
    from elements

),

-- What is no country as a whole may be several, parted by commas and strokes, or by `and`, too: only where each part
-- is one. Neither parts anything else, as in `Bosnia and Herzegovina`.
{% for turn, separators in {
    'commas': ' *[,/，、／+] *',
    'words': ' *[,/，、／+&] *(and +|und +|et +|y +|e +)?| +(and|und|et|y|e) +| +- +',
}.items() %}
parts_by_{{ turn }} as (

    select
        formed.delivered_text,
        formed.element_position,
        {{ country_form('part') }} as part_form
    from formed
    {{ unnest_list(
        "split(" ~ regexp_replace_all('formed.element', separators, ';') ~ ", ';')", 'part', 'part_position'
    ) }}
    where formed.element_form not in (select delivered_form from forms)

),

read_by_{{ turn }} as (

    select
        parts.delivered_text,
        parts.element_position,
        bool_and(forms.delivered_form is not null) as is_understood
    from parts_by_{{ turn }} as parts
    left join forms on parts.part_form = forms.delivered_form
    where parts.part_form <> ''
    group by parts.delivered_text, parts.element_position

),

{% endfor %}
found as (

    select
        formed.delivered_text,
        formed.element_position,
        forms.country_code
    from formed
    inner join forms on formed.element_form = forms.delivered_form

    union all

    select
        parts.delivered_text,
        parts.element_position,
        forms.country_code
    from parts_by_commas as parts
    inner join read_by_commas as readings
        on parts.delivered_text = readings.delivered_text and parts.element_position = readings.element_position
    inner join forms on parts.part_form = forms.delivered_form
    where readings.is_understood

    union all

    select
        parts.delivered_text,
        parts.element_position,
        forms.country_code
    from parts_by_words as parts
    inner join read_by_words as readings
        on parts.delivered_text = readings.delivered_text and parts.element_position = readings.element_position
    inner join read_by_commas as by_commas
        on parts.delivered_text = by_commas.delivered_text and parts.element_position = by_commas.element_position
    inner join forms on parts.part_form = forms.delivered_form
    where readings.is_understood and not by_commas.is_understood

),

countries as (

    select
        delivered_text,
        array_sort(array_agg(distinct country_code)) as country_codes
    from found
    where country_code is not null
    group by delivered_text

),

not_understood as (

    select
        formed.delivered_text,
        array_sort(array_agg(distinct formed.element)) as not_understood
    from formed
    left join found
        on formed.delivered_text = found.delivered_text and formed.element_position = found.element_position
    where found.delivered_text is null and formed.element_form <> ''
    group by formed.delivered_text

)

select
    texts.delivered_text,
    countries.country_codes,
    not_understood.not_understood
from texts
left join countries on texts.delivered_text = countries.delivered_text
left join not_understood on texts.delivered_text = not_understood.delivered_text
