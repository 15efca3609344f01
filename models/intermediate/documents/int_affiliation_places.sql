with

papers as (

    select
        authors,
        institutions
    from {{ ref('int_papers_deduplicated') }}

),

authors as (

    select {{ each_of_list('authors') }} as author
    from papers

),

institutions as (

    select {{ each_of_list('institutions') }} as institution
    from papers

),

affiliations as (

    select author.affiliation
    from authors
    where author.affiliation is not null and {{ list_length('author.country_codes') }} = 0

    union all

    -- An institution's name may go on to where it is, after a comma or in brackets.
    select institution.institution_name
    from institutions
    where
        institution.country_code is null
        and {{ regexp_first('institution.institution_name', '[,，(]') }} <> ''

),

places as (

    select distinct place
    from (
        select {{ each_of_list(affiliation_places('affiliation')) }} as place
        from affiliations
    ) as of_affiliations

),

forms as (

    select
        delivered_form,
        country_code,
        form_kind <> 'name' as is_english
    from {{ ref('country_forms') }}
    where
        country_code is not null
        -- Codes stand for states of America, too (CA, DE, IN), and these names for places there or for companies.
        and form_kind not in ('code of two letters', 'code of three letters', 'other code')
        and (length(delivered_form) > 2 or {{ regexp_first('delivered_form', '[a-z]') }} = '')
        and delivered_form not in ('georgia', 'columbia', 'madeira', 'america', 'antigua', 'st vincent', 'st martin')

    union all

    select
        delivered_form,
        country_code,
        true as is_english
    from {{ ref('country_forms') }}
    where delivered_form in ('uk', 'us', 'usa')

),

formed as (

    select
        place,
        -- Numbers of post stand before or after what they belong to.
        {{ trimmed(regexp_replace_all(country_form('place'), '(^| )[^ ]*[0-9][^ ]*', '')) }} as place_form
    from places

),

-- The whole part, and its last words from four to one. `New Mexico` and `Bank of China` are no countries.
candidates as (

    select
        place,
        place_form as candidate,
        9 as words
    from formed

    {% for words in [4, 3, 2, 1] %}
    {% set last_words = '( [^ ]+){' ~ words ~ '}$' %}
    union all

    select
        place,
        {{ trimmed(regexp_first('place_form', last_words)) }} as candidate,
        {{ words }} as words
    from formed
    where
        {{ regexp_first('place_form', last_words) }} <> ''
        {% if words < 3 %}
        and {{ regexp_first(
            'place_form', '(^| )(new|nova|of|de|da|do|du|la|el|and|in|for|north|south|east|west|northern|southern|' ~
            'western|eastern|central|bank|air|st|port|los|san)' ~ last_words
        ) }} = ''
        {% endif %}
        and length({{ regexp_first('place_form', last_words) }}) > 4
    {% endfor %}

),

found as (

    select
        candidates.place,
        max_by(forms.country_code, candidates.words) as country_code
    from candidates
    inner join forms on candidates.candidate = forms.delivered_form
    -- `Rhode Island` ends as Iceland is called in German.
    where candidates.words = 9 or forms.is_english
    group by candidates.place

),

-- A state or a province with its number of post says which country it is in.
by_post as (

    select
        place,
        case
            when {{ regexp_first('place', '(^| )[A-Z]{2},? +[0-9]{5}(-[0-9]{4})?$') }} <> '' then 'US'
            when {{ regexp_first('place', '(^| )[A-Z]{2},? +[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]$') }} <> '' then 'CA'
            -- Codes of two letters are mostly states; few of those are countries of people who write so, and few
            -- countries are states.
            when
                place in (
                    'AZ', 'CA', 'CT', 'DC', 'FL', 'GA', 'MA', 'MD', 'MI', 'MN', 'NC', 'NH', 'NJ', 'NM', 'NY', 'OH',
                    'OR', 'PA', 'RI', 'TX', 'VA', 'WA', 'WI', 'WV'
                ) then 'US'
            when
                place in (
                    'AT', 'AU', 'BE', 'CH', 'CN', 'DE', 'DK', 'FI', 'FR', 'GB', 'HK', 'IE', 'IT', 'JP', 'KR', 'NL',
                    'NZ', 'PL', 'RU', 'SG', 'TR', 'TW'
                ) then place
        end as country_code
    from places

)

select
    by_post.place,
    coalesce(found.country_code, by_post.country_code) as country_code
from by_post
left join found on by_post.place = found.place
where found.country_code is not null or by_post.country_code is not null
