with

appeared as (

    {% for document_type in ['paper', 'patent'] %}
    {% set is_last_type = loop.last %}
    {% for system, model in staging_models(document_type ~ 's').items() %}
    select
        '{{ system }}' as source_system,
        source_name,
        '{{ document_type }}' as document_type,
        {% if document_type == 'paper' -%}
        greatest(coalesce(created_date, updated_date), coalesce(updated_date, created_date)) as record_date,
        {%- else -%}
        cast(null as date) as record_date,
        {%- endif %}
        publication_date,
        count(*) as records
    from {{ ref(model) }}
    where rejection_reason is null
    group by source_name, publication_date{{ ', created_date, updated_date' if document_type == 'paper' }}
    {{ 'union all' if not (loop.last and is_last_type) }}
    {% endfor %}
    {% endfor %}

),

cumulated as (

    select
        *,
        sum(case when publication_date is not null then records end) over (
            partition by source_system, source_name, document_type
            order by publication_date nulls last, record_date nulls last
            rows between unbounded preceding and current row
        ) as records_so_far,
        sum(case when publication_date is not null then records end) over (
            partition by source_system, source_name, document_type
        ) as all_records
    from appeared

)

-- A few dates that lie ahead must not make the present complete.
select
    source_system,
    source_name,
    document_type,
    coalesce(
        max(record_date),
        min(case when records_so_far >= 0.999 * all_records then publication_date end)
    ) as data_until
from cumulated
group by source_system, source_name, document_type
