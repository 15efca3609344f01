{% set is_of = "coalesce(staged.year_basis, 'unknown') " -%}
with

data_until as (

    select * from {{ ref('int_data_until') }}

),

events as (

    {% for system, model in staging_models('papers').items() %}
    select
        '{{ system }}' as source_system,
        source_name,
        'paper' as document_type,
        cast(null as string) as office_code,
        'publication' as year_kind,
        publication_year as year,
        publication_date as event_date,
        created_date as appeared_on
    from {{ ref(model) }}
    where rejection_reason is null

    union all

    {% endfor %}
    {% for system, model in staging_models('patents').items() %}
    select
        '{{ system }}' as source_system,
        source_name,
        'patent' as document_type,
        coalesce(office_code, substring(publication_number, 1, 2)) as office_code,
        event.year_kind,
        coalesce(year(event.event_date), case when event.is_year_of_record then staged.year end) as year,
        event.event_date,
        publication_date as appeared_on
    from {{ ref(model) }} as staged
    {{ unnest_list(list_of([
        struct({
            'year_kind': "'filing'",
            'event_date': 'staged.filing_date',
            'is_year_of_record': is_of ~ "not in ('priority', 'publication')",
        }),
        struct({
            'year_kind': "'priority'",
            'event_date': 'staged.priority_date',
            'is_year_of_record': is_of ~ "= 'priority'",
        }),
        struct({
            'year_kind': "'publication'",
            'event_date': 'staged.publication_date',
            'is_year_of_record': is_of ~ "= 'publication'",
        }),
    ]), 'event') }}
    where rejection_reason is null
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- A day on which much of a source appeared at once is the day of a load: it says nothing of when each came.
loads as (

    select
        source_system,
        source_name,
        document_type,
        appeared_on
    from (
        select
            source_system,
            source_name,
            document_type,
            appeared_on,
            count(*) as records,
            sum(count(*)) over (partition by source_system, source_name, document_type) as all_records
        from events
        where document_type = 'paper' and appeared_on is not null
        group by source_system, source_name, document_type, appeared_on
    ) as days
    where records >= 100 and records >= 0.05 * all_records

),

-- Months are numbered from the year 0. Of old documents only their year counts.
months as (

    select
        events.source_system,
        events.source_name,
        events.document_type,
        events.office_code,
        events.year_kind,
        cast(events.year as integer) as year,
        case
            when
                events.event_date is not null and events.appeared_on is not null and loads.appeared_on is null
                and year(events.event_date) >= year(data_until.data_until) - 16
                then year(events.event_date) * 12 + month(events.event_date) - 1
        end as event_month,
        year(events.appeared_on) * 12 + month(events.appeared_on) - 1 as appeared_month
    from events
    inner join data_until
        on
            events.source_system = data_until.source_system
            and events.source_name = data_until.source_name
            and events.document_type = data_until.document_type
    left join loads
        on
            events.source_system = loads.source_system
            and events.source_name = loads.source_name
            and events.document_type = loads.document_type
            and events.appeared_on = loads.appeared_on
    where events.year is not null

)

select
    source_system,
    source_name,
    document_type,
    office_code,
    year_kind,
    year,
    cast(event_month as integer) as event_month,
    cast(case when event_month is not null then appeared_month - event_month end as integer) as lag_months,
    count(*) as documents
from months
group by
    source_system,
    source_name,
    document_type,
    office_code,
    year_kind,
    year,
    event_month,
    case when event_month is not null then appeared_month - event_month end
