{# A copy of a work: the fields by which venues and arXiv's ids are found. #}
{% set location = {
    'source': {'display_name': 'text', 'type': 'text'},
    'raw_source_name': 'text',
    'landing_page_url': 'text',
    'pdf_url': 'text',
} %}
{% set topic = {
    'id': 'text',
    'display_name': 'text',
    'score': 'text',
    'subfield': {'display_name': 'text'},
    'field': {'display_name': 'text'},
    'domain': {'display_name': 'text'},
} %}
{% set fields = {
    'id': 'text',
    'ids': {'openalex': 'text', 'doi': 'text', 'arxiv': 'text'},
    'doi': 'text',
    'title': 'text',
    'display_name': 'text',
    'abstract_inverted_index': 'text',
    'abstract': 'text',
    'publication_year': 'text',
    'publication_date': 'text',
    'created_date': 'text',
    'updated_date': 'text',
    'language': 'text',
    'type': 'text',
    'type_crossref': 'text',
    'cited_by_count': 'text',
    'is_paratext': 'text',
    'is_retracted': 'text',
    'is_xpac': 'text',
    'primary_location': location,
    'best_oa_location': location,
    'locations': [location],
    'host_venue': {'display_name': 'text', 'url': 'text'},
    'alternate_host_venues': [{'display_name': 'text', 'url': 'text'}],
    'keywords': 'text',
    'primary_topic': topic,
    'topics': [topic],
    'concepts': [{'display_name': 'text'}],
    'referenced_works': 'text',
    'is_authors_truncated': 'text',
    'authors_count': 'text',
    'authorships': [{
        'author': {'id': 'text', 'display_name': 'text', 'orcid': 'text'},
        'raw_author_name': 'text',
        'is_corresponding': 'text',
        'countries': ['text'],
        'raw_affiliation_strings': ['text'],
        'raw_affiliation_string': 'text',
        'institutions': [{
            'id': 'text', 'display_name': 'text', 'ror': 'text', 'country_code': 'text', 'type': 'text',
            'lineage': ['text'],
        }],
    }],
} %}
{% do fields.update(openalex_column_shapes()) %}
{# Columns of the lists that a table of the website has in cells. #}
{% set cells = {
    'author_name': 'author_names', 'author_id': 'author_ids', 'orcid': 'orcids', 'raw_author_name': 'raw_author_names',
    'is_corresponding': 'corresponding_authors', 'countries': 'countries', 'affiliations': 'affiliations',
    'institutions_of_authors': 'institutions_of_authors', 'institution_name': 'institution_names',
    'institution_id': 'institution_ids', 'ror': 'rors', 'country_code': 'institution_countries',
    'institution_type': 'institution_types', 'keywords': 'keyword_cells',
} %}
{# An id of arXiv in an address, in a DOI or after the name. #}
{% set arxiv_pattern = (
    '(arxiv[.]org/(abs|pdf|html|ps|format|e-print)/|10[.]48550/arxiv[.]|arxiv: *)'
    ~ '([0-9]{4}[.][0-9]{4,5}|[a-z-]+([.][a-z]+)?/[0-9]{7})'
) %}
{% set accepted_types = "'" ~ var('paper_types') | join("', '") ~ "'" %}
{% set is_out_of_scope = (
    ("work_type not in (" ~ accepted_types ~ ")" if var('paper_types') else 'false')
    ~ (' or is_xpac' if not var('include_xpac') else '')
) %}

with

delivered as (

    {{ delivered_records('openalex', 'works') }}

),

mended as (

    select
        *,
        {{ record_in_form('record_text', openalex_lists(), openalex_may_need_form('record_text')) }} as mended_text
    from delivered

),

parsed as (

    select
        record_file,
        record_row,
        record_text,
        mended_text,
        {{ parse_json('mended_text', fields) }} as work
    from mended

),

-- What stands in one of several places, and what a table of the website has in cells.
found as (

    select
        record_file,
        record_row,
        record_text,
        work,
        {{ unwrapped_index('work.abstract_inverted_index') }} as index_text,
        {{ first_text(['work.id', 'work.ids.openalex', openalex_cell('openalex')]) }} as delivered_id,
        {{ clean_value(first_text(['work.doi', 'work.ids.doi', openalex_cell('doi')])) }} as delivered_doi,
        {{ first_text(['work.title', 'work.display_name']) }} as delivered_title,
        {{ dated_text('work.publication_year') }} as delivered_year,
        {{ dated_text('work.publication_date') }} as delivered_date,
        {{ clean_value('work.cited_by_count') }} as delivered_count,
        {{ clean_value('work.is_retracted') }} as delivered_retraction,
        {{ yes_or_no('work.is_retracted') }} as read_retraction,
        {{ clean_value("lower(replace(replace(" ~ regexp_first('work.type', '[^/]+$') ~ ", ' ', '-'), '_', '-'))") }}
            as work_type,
        {{ first_text([
            'work.primary_location.source.display_name',
            'work.host_venue.display_name',
            printed_source('work.primary_location'),
            list_at(list_map(
                list_where('work.locations', 'place', "place.source.type <> 'repository' and trim(place.source.display_name) <> ''"),
                'place', 'place.source.display_name'
            ), 1),
            'work.best_oa_location.source.display_name',
            list_at(list_map(
                list_where('work.locations', 'place', "trim(place.source.display_name) <> ''"),
                'place', 'place.source.display_name'
            ), 1),
            list_at(list_map('work.alternate_host_venues', 'place', 'place.display_name'), 1),
            printed_source('work.best_oa_location'),
            list_at(list_split(openalex_cell('venue'), '|'), 1),
        ]) }} as delivered_venue,
        lower(concat_ws(
            ' ',
            'arxiv:' || {{ first_text(['work.ids.arxiv', openalex_cell('arxiv')]) }},
            work.doi,
            work.ids.doi,
            work.primary_location.landing_page_url,
            {{ list_join(list_map(
                'work.locations', 'place', "concat_ws(' ', place.landing_page_url, place.pdf_url)"
            ), ' ') }},
            work.best_oa_location.pdf_url,
            work.host_venue.url,
            {{ list_join(list_map('work.alternate_host_venues', 'place', 'place.url'), ' ') }},
            {{ openalex_cell('addresses') }}
        )) as addresses,
        case
            when substring(replace(work.keywords, ' ', ''), 1, 2) = '[{' then {{ parse_json(
                "'{\"list\":' || work.keywords || '}'", {'list': [{'display_name': 'text', 'keyword': 'text'}]}
            ) }}
        end as keyword_objects,
        case
            when substring(replace(work.keywords, ' ', ''), 1, 2) <> '[{'
                then {{ parse_json(to_json_text(struct({'list': 'work.keywords'})), {'list': 'json'}) }}
        end as keyword_field,
        case
            when {{ openalex_may_need_parts('mended_text') }}
                then {{ parse_json('mended_text', openalex_part_shapes()) }}
        end as part_texts,
        {% for what, column in cells.items() %}
        {{ openalex_cells(what) }} as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    from parsed

),

parted as (

    select
        *,
        {{ list_map('part_texts.authorships', 'part', openalex_parts('part')) }} as parts
    from found

),

listed as (

    select
        *,
        {{ inverted_index('index_text') }} as word_index,
        {{ regexp_first('addresses', arxiv_pattern, 3) }} as written_arxiv_id,
        coalesce(
            case
                when parts is not null
                    then {{ openalex_authorships_of_parts('work.authorships', 'parts', fields.authorships[0]) }}
            end,
            work.authorships,
            {{ openalex_authors_of_table() }}
        ) as authorships,
        coalesce(
            {{ filled_list(list_map('work.topics', 'one', 'one.display_name')) }},
            {{ filled_list(list_of(['work.primary_topic.display_name'])) }},
            {{ filled_list(list_map('work.concepts', 'one', 'one.display_name')) }},
            {{ filled_list(openalex_cells('topics')) }},
            {{ filled_list(openalex_cells('primary_topic')) }},
            {{ filled_list(openalex_cells('concepts')) }}
        ) as delivered_categories,
        coalesce(
            {{ list_map('keyword_objects.list', 'one', 'coalesce(one.display_name, one.keyword)') }},
            {{ json_list('keyword_field.list') }},
            keyword_cells
        ) as delivered_keywords
    from parted

),

rebuilt as (

    select
        *,
        coalesce({{ text_from_inverted_index('word_index') }}, nullif(trim(work.abstract), '')) as read_text
    from listed

),

renamed as (

    select
        record_file,
        record_row,
        record_text,
        index_text,
        read_text,
        delivered_doi,
        delivered_year,
        delivered_date,
        delivered_count,
        {{ dated_text('work.created_date') }} as delivered_created_date,
        {{ dated_text('work.updated_date') }} as delivered_updated_date,
        work.keywords as keywords_text,
        {{ list_at(list_where(
            list_map('authorships', 'authorship', 'authorship.raw_author_name'), 'one',
            regexp_first('one', '^[\\[{(] *[\\[{"\\x27]') ~ " <> ''"
        ), 1) }} as unread_authors,
        {{ openalex_part_not_read('parts', 'institutions', 'institution_elements') }} as unread_institutions,
        {{ openalex_part_not_read('parts', 'countries', 'country_elements') }} as unread_countries,
        work is not null as is_parsed,
        {{ openalex_id('delivered_id', 'W') }} as source_record_id,
        {{ clean_doi('delivered_doi') }} as doi,
        nullif(
            {{ regexp_first('written_arxiv_id', '^[0-9a-z-]+') }} || {{ regexp_first('written_arxiv_id', '[./][0-9]+$') }}, ''
        ) as arxiv_id,
        {{ clean_markup('delivered_title') }} as title,
        {{ telling_abstract(clean_markup('read_text')) }} as abstract,
        {{ clean_year('delivered_year') }} as written_year,
        {{ list_map(
            list_of(['delivered_date', dated_text('work.created_date'), dated_text('work.updated_date')]), 'delivered',
            clean_date('delivered')
        ) }} as days,
        {{ date_from_text(regexp_first('record_file', 'updated_date=([0-9-]+)', 1)) }} as partition_date,
        {{ clean_value('lower(work.language)') }} as language,
        work_type,
        {{ clean_markup('delivered_venue') }} as venue,
        {{ count_of('delivered_count') }} as cited_by_count,
        delivered_retraction,
        read_retraction,
        coalesce(read_retraction, false) as is_retracted,
        coalesce({{ yes_or_no('work.is_paratext') }}, false)
        or coalesce(work_type = 'paratext', false)
        or coalesce(lower(work.type_crossref) = 'paratext', false) as is_paratext,
        coalesce({{ yes_or_no('work.is_xpac') }}, false) as is_xpac,
        {{ filled_list(list_map('delivered_keywords', 'one', clean_text("replace(one, '&amp;', '&')"))) }} as keywords,
        {{ list_map('delivered_categories', 'one', clean_text('one')) }} as categories,
        {{ list_map('work.topics', 'one', struct({
            'topic_id': openalex_id('one.id', 'T'),
            'topic_name': 'one.display_name',
            'score': 'try_cast(one.score as double)',
            'subfield': 'one.subfield.display_name',
            'field': 'one.field.display_name',
            'domain': 'one.domain.display_name',
        })) }} as topics,
        {{ regexp_all('work.referenced_works', 'W[0-9]+') }} as cited_works,
        case
            when
                {{ yes_or_no('work.is_authors_truncated') }}
                or {{ whole_number('work.authors_count') }} > {{ list_length('authorships') }}
                then true
            when work.authorships is not null then false
        end as is_authors_truncated,
        -- Countries of a table that belong to no author in particular.
        case
            when {{ list_length('author_names') }} not in (1, {{ list_length('countries') }})
                then nullif({{ list_join('countries', '|') }}, '')
        end as country,
        {{ staged_authors(
            'authorships', 'authorship',
            name=clean_name(
                "case when " ~ is_placeholder_author('authorship.author') ~ " then authorship.raw_author_name else "
                ~ first_text(['authorship.author.display_name', 'authorship.raw_author_name']) ~ " end"
            ),
            id="case when not " ~ is_placeholder_author('authorship.author') ~ " then "
                ~ openalex_id('authorship.author.id', 'A') ~ " end",
            orcid="nullif(" ~ regexp_first('upper(authorship.author.orcid)', '([0-9]{4}-){3}[0-9]{3}[0-9X]$') ~ ", '')",
            is_corresponding=yes_or_no('authorship.is_corresponding'),
            country_codes=filled_list('authorship.countries'),
            affiliation=clean_text(first_text([
                list_join('authorship.raw_affiliation_strings', '; '), 'authorship.raw_affiliation_string'
            ]))
        ) }} as authors,
        case
            when work.authorships is null then {{ openalex_institutions_of_table() }}
            else {{ list_flatten(list_map(
                list_positioned('authorships'), 'authorship',
                staged_institutions(
                    'authorship.element.institutions', 'institution',
                    name=clean_name('institution.display_name'),
                    id=openalex_id('institution.id', 'I'),
                    ror="nullif(" ~ regexp_first('institution.ror', '[^/]+$') ~ ", '')",
                    country_code='upper(' ~ clean_value('institution.country_code', keeps_na=true) ~ ')',
                    author_position='authorship.position',
                    type=clean_text('institution.type'),
                    lineage=list_map('institution.lineage', 'one', openalex_id('one', 'I'))
                )
            )) }}
        end as institutions
    from rebuilt

),

dated as (

    select
        *,
        cast(coalesce(written_year, year({{ list_at('days', 1) }})) as bigint) as publication_year,
        {{ list_at('days', 1) }} as publication_date,
        {{ list_at('days', 2) }} as created_date,
        coalesce({{ list_at('days', 3) }}, partition_date) as updated_date
    from renamed

),

judged as (

    select
        *,
        {{ rejection_reason(
            'is_parsed', 'source_record_id', 'title', 'coalesce(cast(publication_year as string), delivered_year)',
            {'paratext': 'is_paratext', 'out_of_scope_type': is_out_of_scope}
        ) }} as rejection_reason
    from dated

)

select
    record_file,
    record_row,
    'openalex' as source_name,
    source_record_id,
    source_record_id as delivered_document_id,
    doi,
    arxiv_id,
    title,
    abstract,
    publication_year,
    publication_date,
    created_date,
    updated_date,
    language,
    work_type,
    venue,
    cited_by_count,
    is_retracted,
    keywords,
    categories,
    topics,
    cited_works,
    authors,
    institutions,
    is_authors_truncated,
    country,
    {{ not_understood({
        'abstract_inverted_index': ("case when index_text not in ('', '{}', '[]', 'null', 'None') then index_text end", 'read_text'),
        'publication_year': ('delivered_year', 'written_year'),
        'publication_date': ('delivered_date', 'publication_date'),
        'created_date': ('delivered_created_date', 'created_date'),
        'updated_date': ('delivered_updated_date', 'updated_date'),
        'cited_by_count': ('delivered_count', 'cited_by_count'),
        'doi': ('delivered_doi', 'doi'),
        'is_retracted': ('delivered_retraction', 'read_retraction'),
        'keywords': ("case when keywords_text not in ('', '[]', '{}') then keywords_text end", 'keywords'),
        'authorships': ('unread_authors', 'cast(null as string)'),
        'institutions': ('unread_institutions', 'cast(null as string)'),
        'countries': ('unread_countries', 'cast(null as string)'),
    }) }} as not_understood,
    {{ not_delivered(['label_is_ai', 'label_source', 'unread_fields']) }},
    rejection_reason,
    case when rejection_reason is not null then record_text end as raw_record
from judged
