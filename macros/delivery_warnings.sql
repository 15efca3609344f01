{#
    What is implausible about a delivery, each as a sentence with its remedy. Builds ask of all that was delivered, and
    `check` of the records that it has read, by the same rules.

    Arguments are relations: measures as `source_measures` gives them, and those of the last build; values and fields
    not understood as `unread_values` gives them; merged records by source; the seed of reasons for rejection. `delivered`
    is what was named to be read, as `delivered_sources` gives it, and `files` the records of each file: of papers and
    patents without a record nothing can come, which is an error.

    An error is what leaves a whole side (papers or patents) without a pair or a decision, or refuses much of it; it stops
    a build before publication. Shares and leaps of less than `few` records are chance.
#}
{% macro delivery_warnings(measures, earlier, unread, merged, reasons, delivered=[], files=none) -%}
{%- set few = 20 -%}
{%- set many = 200 -%}
with

measures as (

    select * from {{ measures }}

),

unread as (

    select * from {{ unread }}

),

reasons as (

    select * from {{ reasons }}

),

{% set counted = {
    'delivered': "measure = 'delivered'",
    'accepted': "measure = 'accepted'",
    'with_year': "measure = 'filled' and item = 'year'",
    'with_abstract': "measure = 'filled' and item = 'abstract'",
    'with_text': "measure = 'noted' and item = 'text'",
    'with_language': "measure = 'filled' and item = 'language'",
    'authors_truncated': "measure = 'noted' and item = 'authors_truncated'",
} -%}
{# Of each source, and of each side together, whose source is null. -#}
{%- for name, columns in {'sources': ['source_system', 'source_name', 'document_type'], 'sides': ['document_type']}.items() %}
{{ name }} as (

    select
        {%- for column in columns %}
        {{ column }},
        {%- endfor %}
        {%- for column, condition in counted.items() %}
        coalesce(sum(case when {{ condition }} then records end), 0) as {{ column }},
        {%- endfor %}
        min(case when measure = 'year' then try_cast(item as integer) end) as first_year,
        max(case when measure = 'year' then try_cast(item as integer) end) as last_year
    from measures
    group by {{ columns | join(', ') }}

),

{# Records that were refused though they should not have been, and the reason of most of them. -#}
refused_by_reason_of_{{ name }} as (

    select
        {%- for column in columns %}
        measures.{{ column }},
        {%- endfor %}
        measures.item as reason,
        sum(measures.records) as records,
        bool_or(coalesce(reasons.is_by_design, false)) as is_by_design,
        max(reasons.remedy) as remedy
    from measures
    left join reasons on measures.item = reasons.reason and measures.document_type = reasons.entity
    where measures.measure = 'rejected'
    group by {% for column in columns %}measures.{{ column }}, {% endfor %}measures.item

),

refused_of_{{ name }} as (

    select
        {{ columns | join(', ') }},
        sum(case when is_by_design then 0 else records end) as refused,
        sum(case when is_by_design then records else 0 end) as left_out,
        max_by(reason, case when is_by_design then 0 else records end) as first_reason,
        max_by(remedy, case when is_by_design then 0 else records end) as first_remedy
    from refused_by_reason_of_{{ name }}
    group by {{ columns | join(', ') }}

),
{% endfor %}
{{ warnings_of_values(few) }},

{{ warnings_of_years(earlier, few, many) }},

warned as (

    {{ warnings_of_sides(few) }}

    union all

    {{ warnings_of_sources(merged, few, many) }}

    union all

    select * from warned_of_values

    union all

    select * from warned_of_years
    {%- for system, table, document_type in delivered %}
    {%- set is_document = document_type in ('paper', 'patent') -%}
    {%- set name = document_type ~ 's' ~ (' ' ~ system if document_type not in ('label', 'link')) %}

    union all

    select
        '{{ system }}' as source_system,
        '{{ system }}' as source_name,
        '{{ document_type }}' as document_type,
        'nothing_delivered' as warning,
        '{{ 'error' if is_document else 'warning' }}' as severity,
        {{ 1 if is_document else 3 }} as importance,
        0 as figure,
        '{{ name }}: the files that were named hold no record. Export them again, or leave them out.'
            as message
    where
        not exists (
            select 1
            from {{ files }}
            where source_system = '{{ system }}' and delivered_table = '{{ table }}'
        )
    {%- endfor %}

)

select
    cast(row_number() over (
        order by
            case when severity = 'error' then 0 else 1 end,
            importance,
            figure desc,
            document_type,
            source_system nulls first,
            source_name nulls first,
            warning,
            message
    ) as integer) as place,
    source_system,
    source_name,
    document_type,
    warning,
    severity,
    cast(figure as double) as figure,
    message
from warned
{%- endmacro %}


{# How a sentence calls a source: `papers openalex`, or with the name of a data set behind the system's. #}
{% macro name_of_source(relation) -%}
{{ relation }}.document_type || 's ' || {{ relation }}.source_system
    || case
        when {{ relation }}.source_name = {{ relation }}.source_system then ''
        else ' (' || {{ relation }}.source_name || ')'
    end
{%- endmacro %}


{# `severity` is a word, or an expression. #}
{% macro warning_row(relation, warning, severity, importance, figure, message, is_side=false) -%}
    select
        {{ 'cast(null as string)' if is_side else relation ~ '.source_system' }} as source_system,
        {{ 'cast(null as string)' if is_side else relation ~ '.source_name' }} as source_name,
        {{ relation }}.document_type,
        '{{ warning }}' as warning,
        {{ "'" ~ severity ~ "'" if ' ' not in severity else severity }} as severity,
        {{ importance }} as importance,
        {{ figure }} as figure,
        {{ message }} as message
{%- endmacro %}


{# What is wrong with all papers, or all patents, together. #}
{% macro warnings_of_sides(few) -%}
{%- set read_dates = "Deliver the year as four digits, or a date as 2018-03-05, in a column that is read (`deepinnovation "
    ~ "check` lists them); without years, build each side alone." -%}
    {{ warning_row('sides', 'no_year_at_all', 'error', 1, 'sides.accepted',
        "'None of the ' || " ~ number_in_words('sides.accepted') ~ " || ' ' || sides.document_type || 's has a year, so no "
        ~ "pair is possible. ' || coalesce('What was delivered as date or year and not understood: ' "
        ~ "|| dates_of_sides.examples || '. ', '') || '" ~ read_dates ~ "'", is_side=true) }}
    from sides
    inner join sides as others on sides.document_type <> others.document_type
    left join dates_of_sides on sides.document_type = dates_of_sides.document_type
    where sides.accepted > 0 and sides.with_year = 0 and others.accepted > 0

    union all

    {{ warning_row('sides', 'no_text_at_all', 'error', 1, 'sides.accepted',
        "'None of the ' || " ~ number_in_words('sides.accepted') ~ " || ' ' || sides.document_type || 's has an abstract "
        ~ "or a title with letters, so nothing can be decided. Deliver `title` and `abstract` as text.'", is_side=true) }}
    from sides
    where accepted > 0 and with_text = 0

    union all

    {{ warning_row('sides', 'nothing_accepted', 'error', 1, 'sides.delivered',
        "'All ' || " ~ number_in_words('sides.delivered') ~ " || ' ' || sides.document_type || ' records were rejected' "
        ~ "|| coalesce(', most as ' || replace(refused_of_sides.first_reason, '_', ' ') || '. ' "
        ~ "|| refused_of_sides.first_remedy, '.')", is_side=true) }}
    from sides
    left join refused_of_sides on sides.document_type = refused_of_sides.document_type
    where sides.delivered > 0 and sides.accepted = 0

    union all

    {{ warning_row('sides', 'many_rejected', "case when sides.delivered < " ~ few ~ " then 'warning' else 'error' end", 2, 'refused_of_sides.refused',
        number_in_words('refused_of_sides.refused') ~ " || ' of ' "
        ~ "|| " ~ number_in_words('sides.delivered - refused_of_sides.left_out') ~ " || ' ' || sides.document_type "
        ~ "|| ' records (' || " ~ percent_in_words('refused_of_sides.refused', '(sides.delivered - refused_of_sides.left_out)')
        ~ " || ') were rejected, most as ' || replace(refused_of_sides.first_reason, '_', ' ') || '. ' "
        ~ "|| coalesce(refused_of_sides.first_remedy, 'See marts.rejected_records.') "
        ~ "|| case when sides.delivered < " ~ few ~ " then '' "
        ~ "else ' To build all the same, raise the limit: --vars ''{rejected_share_limit: 1}''.' end", is_side=true) }}
    from sides
    inner join refused_of_sides on sides.document_type = refused_of_sides.document_type
    where
        sides.accepted > 0
        and refused_of_sides.refused > {{ var('rejected_share_limit') }} * (sides.delivered - refused_of_sides.left_out)

    {%- if var('matched_patent_year') != 'publication' %}

    union all

    {{ warning_row('sides', 'papers_after_patents', 'error', 1, 'sides.first_year', 
        "'Every paper (' || cast(sides.first_year as string) || ' to ' || cast(sides.last_year as string) "
        ~ "|| ') is later than every patent (' || cast(patents.first_year as string) || ' to ' "
        ~ "|| cast(patents.last_year as string) || '), so no pair is possible: a patent is matched from the paper''s year"
        ~ (" plus minimum_lag_years" if var('minimum_lag_years') else "") ~ " on. Deliver later patents or earlier papers; "
        ~ "or build each side alone.'", is_side=true) }}
    from sides
    inner join sides as patents on patents.document_type = 'patent'
    where sides.document_type = 'paper' and sides.first_year + {{ var('minimum_lag_years') }} > patents.last_year
    {%- endif %}
    {%- if var('maximum_lag_years') is not none %}

    union all

    {{ warning_row('sides', 'patents_long_after_papers', 'error', 1, 'sides.last_year',
        "'Every patent (from ' || cast(patents.first_year as string) || ' on) is more than maximum_lag_years after every "
        ~ "paper (up to ' || cast(sides.last_year as string) || '), so no pair is possible. Raise that variable.'",
        is_side=true) }}
    from sides
    inner join sides as patents on patents.document_type = 'patent'
    where sides.document_type = 'paper' and sides.last_year + {{ var('maximum_lag_years') }} < patents.first_year
    {%- endif %}
{%- endmacro %}


{# What is implausible of one source. #}
{% macro warnings_of_sources(merged, few, many) -%}
    {{ warning_row('sources', 'no_year', 'warning', 3, 'sources.accepted - sources.with_year',
        name_of_source('sources') ~ " || ': ' || " ~ number_in_words('sources.accepted - sources.with_year')
        ~ " || ' of ' || " ~ number_in_words('sources.accepted') ~ " || ' records have no year, so they get no pair. ' "
        ~ "|| coalesce('What was delivered as date or year and not understood: ' || dates_of_sources.examples || '. ', '') "
        ~ "|| 'Deliver the year as four digits or a date as 2018-03-05.'") }}
    from sources
    left join dates_of_sources
        on
            sources.source_system = dates_of_sources.source_system
            and sources.source_name = dates_of_sources.source_name
            and sources.document_type = dates_of_sources.document_type
    where
        2 * sources.with_year < sources.accepted
        -- Told once, of the whole side.
        and not exists (
            select 1
            from sides
            inner join sides as others on sides.document_type <> others.document_type
            where sides.document_type = sources.document_type and sides.with_year = 0 and others.accepted > 0
        )

    union all

    {{ warning_row('sources', 'no_abstract', 'warning', 4, 'sources.accepted',
        name_of_source('sources') ~ " || ': none of the ' || " ~ number_in_words('sources.accepted')
        ~ " || ' records has an abstract; titles alone decide. Deliver abstracts if the source has them.'") }}
    from sources
    where sources.accepted >= {{ few }} and sources.with_abstract = 0 and sources.with_text > 0

    union all

    {{ warning_row('sources', 'many_rejected_of_source', 'warning', 4, 'refused_of_sources.refused',
        name_of_source('sources') ~ " || ': ' || " ~ number_in_words('refused_of_sources.refused') ~ " || ' of ' || "
        ~ number_in_words('sources.delivered - refused_of_sources.left_out') ~ " || ' records were rejected, most as ' "
        ~ "|| replace(refused_of_sources.first_reason, '_', ' ') || '. ' "
        ~ "|| coalesce(refused_of_sources.first_remedy, 'See marts.rejected_records.')") }}
    from sources
    inner join refused_of_sources
        on
            sources.source_system = refused_of_sources.source_system
            and sources.source_name = refused_of_sources.source_name
            and sources.document_type = refused_of_sources.document_type
    inner join sides on sources.document_type = sides.document_type
    where
        sources.delivered >= {{ few }}
        and sources.delivered < sides.delivered
        and refused_of_sources.refused
        > {{ var('rejected_share_limit') }} * (sources.delivered - refused_of_sources.left_out)

    union all

    {{ warning_row('sources', 'authors_truncated', 'warning', 6, 'sources.authors_truncated',
        name_of_source('sources') ~ " || ': the authors of ' || " ~ number_in_words('sources.authors_truncated')
        ~ " || ' records are cut off at the source (its list of works gives the first hundred): counts by author, "
        ~ "institution and country miss the rest. Fetch these works one by one, or take the snapshot.'") }}
    from sources
    where sources.authors_truncated > 0

    union all

    {{ warning_row('sources', 'one_language', 'warning', 9, 'languages.records',
        name_of_source('sources') ~ " || ': all ' || " ~ number_in_words('languages.records')
        ~ " || ' records with a language are in one (' || languages.language || '). If a filter chose it, countries that "
        ~ "publish in others are undercounted; if the column is filled by default, leave it empty and the language is "
        ~ "detected.'") }}
    from sources
    inner join (
        select
            source_system,
            source_name,
            document_type,
            min(item) as language,
            sum(records) as records
        from measures
        where measure = 'language'
        group by source_system, source_name, document_type
        having count(*) = 1
    ) as languages
        on
            sources.source_system = languages.source_system
            and sources.source_name = languages.source_name
            and sources.document_type = languages.document_type
    where
        languages.records >= {{ 2 * many }}
        -- Patents are delivered in English translation.
        and not (sources.document_type = 'patent' and languages.language = 'en')

    union all

    {{ warning_row('merged_counts', 'many_merged', 'warning', 7, 'merged_counts.merged_records',
        name_of_source('merged_counts') ~ " || ': ' || " ~ number_in_words('merged_counts.merged_records') ~ " || ' of ' || "
        ~ number_in_words('merged_counts.merged_records + merged_counts.accepted_records') ~ " || ' records are taken for copies of "
        ~ "others. Was a file delivered twice? Look at marts.document_merges for the rule that joined them.'") }}
    from {{ merged }} as merged_counts
    where
        merged_counts.merged_records + merged_counts.accepted_records >= {{ few }}
        and merged_counts.merged_records > 0.3 * (merged_counts.merged_records + merged_counts.accepted_records)
{%- endmacro %}


{# Values that were not understood, and columns that were not read: one warning for each field. #}
{% macro warnings_of_values(few) -%}
{%- set keys = ['source_system', 'source_name', 'document_type'] -%}
{%- set dates = "'year', 'publication_year', 'publication_date', 'filing_date', 'priority_date', 'grant_date', 'date'" -%}
{%- set example = "'`' || value || '` (' || " ~ number_in_words('records') ~ " || ')'" -%}
ranked_values as (

    select
        *,
        case
            when field in ({{ dates }}) then 'year'
            when field like '%countr%' then 'countries'
            when field in ('ipc', 'cpc', 'code') then 'codes'
            when field in ('applicant', 'assignee') then 'applicants'
            when field in ('abstract_inverted_index') then 'abstract'
            when field in ('authorships') then 'authors'
            else field
        end as coverage_field
    from unread
    where kind = 'value' and value is not null

),

{% for name, by in {
    'sides': ['document_type', 'coverage_field'], 'sources': keys + ['coverage_field']
}.items() %}
examples_of_{{ name }} as (

    select
        {{ by | join(', ') }},
        sum(records) as records,
        max(case when place = 1 then example end)
        || coalesce(max(case when place = 2 then ', ' || example end), '')
        || coalesce(max(case when place = 3 then ', ' || example end), '')
        || coalesce(max(case when place = 4 then ' and more' end), '') as examples
    from (
        select
            {{ by | join(', ') }},
            records,
            {{ example }} as example,
            row_number() over (partition by {{ by | join(', ') }} order by records desc, value) as place
        from (
            select
                {{ by | join(', ') }},
                value,
                sum(records) as records
            from ranked_values
            group by {{ by | join(', ') }}, value
        ) as summed
    ) as placed
    group by {{ by | join(', ') }}

),

dates_of_{{ name }} as (

    select * from examples_of_{{ name }}
    where coverage_field = 'year'

),

{% endfor %}
filled as (

    select
        {{ keys | join(', ') }},
        item as coverage_field,
        records
    from measures
    where measure = 'filled'

),

-- A column whose name has one of these words in it, and that nobody reads, where nothing else gave the field.
look_alikes as (

    {% for word, field in [
        ('year', 'year'), ('date', 'year'), ('abstract', 'abstract'), ('summary', 'abstract'), ('country', 'countries'),
        ('countries', 'countries'), ('author', 'authors'), ('inventor', 'inventors'), ('applicant', 'applicants'),
        ('assignee', 'applicants'), ('keyword', 'keywords'), ('affiliation', 'institutions'),
        ('institution', 'institutions'), ('doi', 'doi'), ('ipc', 'codes'), ('cpc', 'codes'), ('language', 'language'),
    ] %}
    select '{{ word }}' as word, '{{ field }}' as coverage_field {{ 'union all' if not loop.last }}
    {% endfor %}

),

warned_of_values as (

    {{ warning_row('examples_of_sources', 'country_not_understood', 'warning', 5, 'examples_of_sources.records',
        name_of_source('examples_of_sources') ~ " || ': countries of ' || " ~ number_in_words('examples_of_sources.records')
        ~ " || ' mentions are not understood and not counted: ' || examples_of_sources.examples || '. Write an ISO 3166 "
        ~ "code or a name in any language; several countries as a list.'") }}
    from examples_of_sources
    where coverage_field = 'countries'

    union all

    {{ warning_row('examples_of_sources', 'column_not_understood', 'warning', 3, 'examples_of_sources.records',
        name_of_source('examples_of_sources') ~ " || ': `' || examples_of_sources.coverage_field || '` was delivered and "
        ~ "nothing, or less than half, could be read from it: ' || examples_of_sources.examples || '. The guide to "
        ~ "deliveries says in which forms it is read.'") }}
    from examples_of_sources
    inner join filled
        on
            examples_of_sources.source_system = filled.source_system
            and examples_of_sources.source_name = filled.source_name
            and examples_of_sources.document_type = filled.document_type
            and examples_of_sources.coverage_field = filled.coverage_field
    where
        examples_of_sources.coverage_field not in ('year', 'countries')
        and examples_of_sources.records >= filled.records

    union all

    {{ warning_row('examples_of_sources', 'value_not_understood', 'warning', 8, 'examples_of_sources.records',
        name_of_source('examples_of_sources') ~ " || ': `' || examples_of_sources.coverage_field || '` is not understood in ' || "
        ~ number_in_words('examples_of_sources.records') ~ " || case when examples_of_sources.records = 1 then ' record: ' "
        ~ "else ' records: ' end || examples_of_sources.examples || '. marts.values_not_understood lists all.'") }}
    from examples_of_sources
    left join filled
        on
            examples_of_sources.source_system = filled.source_system
            and examples_of_sources.source_name = filled.source_name
            and examples_of_sources.document_type = filled.document_type
            and examples_of_sources.coverage_field = filled.coverage_field
    where
        examples_of_sources.document_type in ('paper', 'patent')
        and examples_of_sources.coverage_field <> 'countries'
        and (filled.records is null or examples_of_sources.records < filled.records)
        and (examples_of_sources.records >= {{ few }} or 100 * examples_of_sources.records >= coalesce(filled.records, 0))

    union all

    {% set names = list_join(list_sorted("array_agg(distinct '`' || unread.field || '`')"), ', ') -%}
    {{ warning_row('unread', 'unread_field', 'warning', 4, 'max(unread.records)',
        name_of_source('unread') ~ " || ': no record has ' || filled.coverage_field || ', and these fields of up to ' || "
        ~ number_in_words('max(unread.records)') ~ " || ' records are not read: ' || " ~ names ~ " || '. If one of them "
        ~ "holds it, rename it as the guide to deliveries says.'") }}
    from unread
    inner join look_alikes on lower(unread.field) like '%' || look_alikes.word || '%'
    inner join filled
        on
            unread.source_system = filled.source_system
            and unread.source_name = filled.source_name
            and unread.document_type = filled.document_type
            and look_alikes.coverage_field = filled.coverage_field
    where unread.kind = 'field' and filled.records = 0
    group by unread.source_system, unread.source_name, unread.document_type, filled.coverage_field

)
{%- endmacro %}


{# Years that hold far more or far fewer records than their neighbours, or than in the last delivery. #}
{% macro warnings_of_years(earlier, few, many) -%}
{%- set keys = ['source_system', 'source_name', 'document_type'] -%}
{%- for name, relation in {'now': 'measures', 'before': earlier}.items() %}
years_{{ name }} as (

    select
        {{ keys | join(', ') }},
        try_cast(item as integer) as year,
        records,
        sum(records) over (partition by {{ keys | join(', ') }}) as all_records,
        min(try_cast(item as integer)) over (partition by {{ keys | join(', ') }}) as first_year,
        max(try_cast(item as integer)) over (partition by {{ keys | join(', ') }}) as last_year
    from {{ relation }}
    where measure = 'year'

),
{% endfor %}
-- A year without records is one, too, beside a year that has some.
years_between as (

    select
        {{ keys | join(', ') }},
        year,
        max(all_records) as all_records,
        max(own) as records,
        max(before) as records_before,
        max(after) as records_after
    from (
        {% for shift, own, before, after in [
            (0, 'records', '0', '0'), (1, '0', 'records', '0'), (-1, '0', '0', 'records'),
        ] %}
        select
            {{ keys | join(', ') }},
            year + {{ shift }} as year,
            all_records,
            {{ own }} as own,
            {{ before }} as before,
            {{ after }} as after
        from years_now
        where year + {{ shift }} > first_year and year + {{ shift }} < last_year - 1
        {{ 'union all' if not loop.last }}
        {% endfor %}
    ) as shifted
    group by {{ keys | join(', ') }}, year

),

-- Three times as many as either neighbour, or as few, is no growth of a field.
leaps as (

    select
        *,
        row_number() over (
            partition by {{ keys | join(', ') }}
            order by abs(2 * records - records_before - records_after) desc, year
        ) as place,
        count(*) over (partition by {{ keys | join(', ') }}) as all_leaps
    from years_between
    where
        all_records >= {{ many }}
        and records_before > 0
        and records_after > 0
        and (records > 3 * greatest(records_before, records_after) or 3 * records < least(records_before, records_after))
        and records + records_before + records_after >= {{ 3 * few }}

),

moved as (

    select
        years_now.*,
        years_before.records as earlier_records,
        years_before.all_records as earlier_all,
        row_number() over (
            partition by years_now.source_system, years_now.source_name, years_now.document_type
            order by
                abs(
                    cast(years_now.records as double) / years_now.all_records
                    - cast(years_before.records as double) / years_before.all_records
                ) desc, years_now.year
        ) as place
    from years_now
    inner join years_before
        on
            years_now.source_system = years_before.source_system
            and years_now.source_name = years_before.source_name
            and years_now.document_type = years_before.document_type
            and years_now.year = years_before.year
    where
        years_now.all_records >= {{ many }}
        and years_before.all_records >= {{ many }}
        and abs(
            cast(years_now.records as double) / years_now.all_records
            - cast(years_before.records as double) / years_before.all_records
        ) >= 0.02
        and (
            years_now.records * years_before.all_records > 1.5 * years_before.records * years_now.all_records
            or 1.5 * years_now.records * years_before.all_records < years_before.records * years_now.all_records
        )

),

totals as (

    select
        years_now.source_system,
        years_now.source_name,
        years_now.document_type,
        max(years_now.all_records) as records,
        max(years_before.all_records) as earlier_records
    from years_now
    inner join years_before
        on
            years_now.source_system = years_before.source_system
            and years_now.source_name = years_before.source_name
            and years_now.document_type = years_before.document_type
    group by years_now.source_system, years_now.source_name, years_now.document_type

),

warned_of_years as (

    {{ warning_row('leaps', 'year_unlike_neighbours', 'warning', 6, 'leaps.year',
        name_of_source('leaps') ~ " || ': ' || cast(leaps.year as string) || ' holds ' || "
        ~ number_in_words('leaps.records') ~ " || ' records, the years beside it ' || "
        ~ number_in_words('leaps.records_before') ~ " || ' and ' || " ~ number_in_words('leaps.records_after')
        ~ " || case when leaps.all_leaps > 1 then ' (and ' || cast(leaps.all_leaps - 1 as string) || ' more years leap so)' "
        ~ "else '' end || '. Is a file of that year missing, or one there twice?'") }}
    from leaps
    where leaps.place = 1

    union all

    {{ warning_row('moved', 'year_unlike_last_delivery', 'warning', 6, 'moved.year',
        name_of_source('moved') ~ " || ': ' || cast(moved.year as string) || ' holds ' || "
        ~ percent_in_words('moved.records', 'moved.all_records') ~ " || ' of the records, and held ' || "
        ~ percent_in_words('moved.earlier_records', 'moved.earlier_all')
        ~ " || ' in the last build. Is the delivery whole?'") }}
    from moved
    where moved.place = 1

    union all

    {{ warning_row('totals', 'fewer_than_last_delivery', 'warning', 5, 'totals.records',
        name_of_source('totals') ~ " || ': ' || " ~ number_in_words('totals.records')
        ~ " || ' records with a year, and there were ' || " ~ number_in_words('totals.earlier_records')
        ~ " || ' in the last build. Is the delivery whole?'") }}
    from totals
    where totals.earlier_records >= {{ many }} and 5 * totals.records < 4 * totals.earlier_records

)
{%- endmacro %}
