{# A name may have several legal forms one after another (`Co., Ltd.`), so they are taken off in turns. #}
{% set turns = ['end', 'end', 'end', 'front', 'front', 'end'] %}
with

applicants as (

    select {{ each_of_list('applicants') }} as applicant
    from {{ ref('int_patents_deduplicated') }}

),

names as (

    select institution_name as organisation_name
    from {{ ref('int_document_institutions') }}

    union

    select applicant.applicant_name as organisation_name
    from applicants
    where applicant.applicant_name is not null

    union

    select organisation_name
    from {{ ref('int_registered_names') }}

),

-- Words are parted by blanks; Chinese, Japanese and Korean forms stand at a name's end or front without one.
legal_forms as (

    select
        place,
        sector,
        priority,
        {{ normalised_text('legal_form') }} as word,
        case
            when {{ regexp_first('legal_form', '[가-힣一-龥]') }} <> '' then legal_form
            when place = 'end' then ' ' || {{ normalised_text('legal_form') }}
            else {{ normalised_text('legal_form') }} || ' '
        end as affix
    from {{ ref('legal_forms') }}

),

affixes as (

    select
        {{ list_ordered('affix', 'affix_position') }} as affixes,
        place
    from (
        select
            *,
            row_number() over (partition by place order by length(affix) desc, affix asc) as affix_position
        from legal_forms
    ) as ordered_forms
    group by place

),

formed as (

    select
        names.organisation_name,
        affixes.affixes as end_affixes,
        {{ organisation_form('names.organisation_name') }} as full_form,
        {{ organisation_form(regexp_first('names.organisation_name', '^[^,]*')) }} as first_form,
        ' ' || {{ organisation_form(regexp_first('names.organisation_name', ',(.*)$', 1)) }} as rest_form
    from names
    cross join affixes
    where affixes.place = 'end'

),

-- What stands after a legal form and a comma is an address, unless it is a legal form, too (`Co., Ltd.`).
cut_0 as (

    select
        organisation_name,
        full_form,
        case
            when
                {{ regexp_first('rest_form', '^( [^ ]+){1,4}$') }} <> ''
                and {{ list_length(list_where(
                    'end_affixes', 'affix', 'right(first_form, length(affix)) = affix'
                )) }} > 0
                and {{ list_length(list_where(
                    'end_affixes', 'affix', 'right(rest_form, length(affix)) = affix'
                )) }} = 0
                then first_form
            else full_form
        end as form
    from formed

),

{% for place in turns %}
{% set side = 'right' if place == 'end' else 'left' %}
{% set other_side = 'left' if place == 'end' else 'right' %}
{% set affix = "affixes_" ~ loop.index ~ "[" ~ first_index() ~ "]" %}
-- Joined in every turn, not handed on: Spark writes all turns into one expression where no join parts them.
searched_{{ loop.index }} as (

    select
        cut_{{ loop.index0 }}.*,
        {{ list_where('affixes.affixes', 'affix', (
            "length(form) > length(affix) and " ~ side ~ "(form, length(affix)) = affix"
        )) }} as affixes_{{ loop.index }}
    from cut_{{ loop.index0 }}
    cross join affixes
    where affixes.place = '{{ place }}'

),

cut_{{ loop.index }} as (

    select
        organisation_name,
        full_form,
        {% for earlier in range(loop.index0) %}
        affix_{{ earlier + 1 }},
        {% endfor %}
        case when {{ list_length('affixes_' ~ loop.index) }} > 0 then {{ affix }} end as affix_{{ loop.index }},
        case
            when {{ list_length('affixes_' ~ loop.index) }} > 0
                then {{ regexp_replace_all(
                    'trim(' ~ other_side ~ '(form, length(form) - length(' ~ affix ~ ')))', ' and$|^and ', ''
                ) }}
            else form
        end as form
    from searched_{{ loop.index }}

),

{% endfor %}
cut as (

    select * from cut_{{ turns | length }}

),

removed as (

    {% for place in turns %}
    select
        organisation_name,
        affix_{{ loop.index }} as affix,
        '{{ place }}' as place
    from cut
    where affix_{{ loop.index }} is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

words as (

    select
        place,
        sector,
        priority,
        {{ normalised_text('word') }} as word,
        case when place in ('word', 'start') then ' ' else '' end
        || {{ normalised_text('word') }}
        || case when place in ('word', 'end') then ' ' else '' end as fragment
    from {{ ref('sector_words') }}

),

signs as (

    select
        removed.organisation_name,
        legal_forms.sector,
        legal_forms.priority,
        'legal form: ' || legal_forms.word as sector_rule
    from removed
    inner join legal_forms on removed.affix = legal_forms.affix and removed.place = legal_forms.place

    union all

    select
        cut.organisation_name,
        words.sector,
        words.priority,
        'word: ' || words.word as sector_rule
    from cut
    inner join words on position(words.fragment in ' ' || cut.full_form || ' ') > 0

    union all

    -- So ROR, and OpenAlex after it, name companies: `Sample Machines (Germany)`.
    select
        cut.organisation_name,
        'company' as sector,
        85 as priority,
        'country in brackets' as sector_rule
    from cut
    inner join {{ ref('country_forms') }} as forms
        on
            {{ country_form(regexp_first('cut.organisation_name', '[(]([^()]+)[)]$', 1)) }} = forms.delivered_form
            and forms.form_kind = 'English name'

),

sectors as (

    select
        organisation_name,
        sector,
        sector_rule,
        row_number() over (
            partition by organisation_name
            order by priority asc, length(sector_rule) desc, sector_rule asc, sector asc
        ) as sign_rank
    from signs

)

select
    cut.organisation_name,
    coalesce(nullif(cut.form, ''), lower(cut.organisation_name)) as organisation_form,
    sectors.sector,
    sectors.sector_rule
from cut
left join sectors on cut.organisation_name = sectors.organisation_name and sectors.sign_rank = 1
