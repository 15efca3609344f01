with

delivered as (

    {{ delivered_records('ror', 'organisations') }}

),

-- The dump's CSV has columns with dots in their names, which SQL reads as fields of fields.
undotted as (

    select
        record_file,
        record_row,
        record_text as raw_record,
        {{ regexp_replace_all(
            'record_text',
            '"(?:names[.]types|locations[.]geonames_details)[.](ror_display|label|alias|acronym|country_code)" *:',
            '"csv_\\1":'
        ) }} as record_text
    from delivered

),

parsed as (

    select
        record_file,
        record_row,
        raw_record,
        {{ parse_json('record_text', {
            'id': 'text',
            'names': [{'value': 'text', 'types': ['text']}],
            'locations': [{'geonames_details': {'country_code': 'text'}}],
            'status': 'text',
            'types': 'json',
            'csv_ror_display': 'text',
            'csv_label': 'text',
            'csv_alias': 'text',
            'csv_acronym': 'text',
            'csv_country_code': 'text',
        }) }} as organisation
    from undotted

),

renamed as (

    select
        record_file,
        record_row,
        raw_record,
        organisation is not null as is_parsed,
        {{ ror_id('organisation.id') }} as ror,
        lower({{ clean_text('organisation.status') }}) as status,
        {{ json_list('organisation.types') }} as organisation_types,
        {{ list_map('organisation.names', 'name', struct({
            'organisation_name': clean_text('name.value'),
            'name_types': list_join('name.types', ';'),
        })) }} as json_names,
        {% for kind in ['ror_display', 'label', 'alias', 'acronym'] %}
        {{ list_map("split(coalesce(organisation.csv_" ~ kind ~ ", ''), ';')", 'name', struct({
            'organisation_name': clean_text(regexp_replace_all('name', '^ *([a-z]{2,3}|no_lang_code): ', '')),
            'name_types': "'" ~ kind ~ "'",
        })) }} as csv_{{ kind }},
        {% endfor %}
        {{ list_map('organisation.locations', 'location', 'location.geonames_details.country_code') }}
            as json_country_codes,
        split(organisation.csv_country_code, ';') as csv_country_codes
    from parsed

),

joined as (

    select
        *,
        {{ list_where(
            list_flatten(list_of(['json_names', 'csv_ror_display', 'csv_label', 'csv_alias', 'csv_acronym'])),
            'name', 'name.organisation_name is not null'
        ) }} as organisation_names
    from renamed

)

select
    record_file,
    record_row,
    ror,
    organisation_names,
    {{ list_map('coalesce(json_country_codes, csv_country_codes)', 'code', 'upper(' ~ clean_text('code') ~ ')') }}
        as country_codes,
    organisation_types,
    status,
    case
        when not is_parsed then 'malformed_record'
        when ror is null then 'missing_identifier'
        when {{ list_length('organisation_names') }} = 0 then 'missing_name'
    end as rejection_reason,
    case
        when not is_parsed or ror is null or {{ list_length('organisation_names') }} = 0 then raw_record
    end as raw_record
from joined
