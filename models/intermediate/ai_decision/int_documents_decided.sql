with

documents as (

    select
        document_id,
        document_type,
        language,
        match_text
    from {{ ref('int_documents_unioned') }}

),

coded_documents as (

    select distinct document_id from {{ ref('int_document_codes') }}

),

labels as (

    select * from {{ ref('int_documents_labelled') }}

),

matches as (

    select * from {{ ref('int_documents_matched_to_definitions') }}

),

-- The place of a definition in the list says which one is named when several match.
definitions_that_decide as (

    {% for definition in var('decision_definitions') %}
    select
        '{{ definition }}' as definition,
        {{ loop.index }} as place
    {{ 'union all' if not loop.last }}
    {% else %}
    select
        cast(null as string) as definition,
        0 as place
    where 1 = 0
    {% endfor %}

),

ranked_labels as (

    select
        *,
        min(label_priority) over (partition by document_id) as strongest_priority
    from labels

),

-- Sources of equal rank that disagree, and a source that contradicts itself, decide nothing.
label_per_document as (

    select
        document_id,
        min(label_source) as label_source,
        case
            when count(is_ai) = count(*) and bool_and(is_ai) = bool_or(is_ai) then bool_and(is_ai)
        end as is_ai
    from ranked_labels
    where label_priority = strongest_priority
    group by document_id

),

ranked_matches as (

    select
        matches.document_id,
        matches.definition,
        matches.matched_codes,
        matches.matched_keywords,
        row_number() over (
            partition by matches.document_id
            order by definitions_that_decide.place asc
        ) as match_rank
    from matches
    inner join definitions_that_decide
        on matches.definition = definitions_that_decide.definition
    where matches.is_match

),

-- The keywords are English: that none occurs in a text of another language, without codes beside it, says nothing.
assessed as (

    select
        documents.document_id,
        documents.document_type,
        documents.language,
        label_per_document.label_source,
        label_per_document.is_ai as label_is_ai,
        label_per_document.document_id is not null and label_per_document.is_ai is null as has_conflict,
        ranked_matches.definition,
        ranked_matches.matched_codes,
        ranked_matches.matched_keywords,
        {{ trimmed('documents.match_text') }} = '' and coded_documents.document_id is null as is_blank,
        coalesce(substring(lower(documents.language), 1, 2), 'en') <> 'en'
        and coded_documents.document_id is null as is_foreign
    from documents
    left join coded_documents
        on documents.document_id = coded_documents.document_id
    left join label_per_document
        on documents.document_id = label_per_document.document_id
    left join ranked_matches
        on documents.document_id = ranked_matches.document_id and ranked_matches.match_rank = 1

),

decided as (

    select
        document_id,
        document_type,
        case
            when label_is_ai is not null then label_is_ai
            when definition is not null then true
            when is_blank or is_foreign or {{ 'false' if var('decision_definitions') else 'true' }} then null
            else false
        end as is_ai,
        case when label_is_ai is not null then label_source else definition end as decision_source,
        case
            when label_is_ai is not null then 'label of ' || label_source
            else
                case when has_conflict then 'labels disagree; ' else '' end
                || case
                    when definition is not null
                        then
                            definition
                            || case
                                when {{ list_join('matched_codes', ', ') }} <> ''
                                    then ': codes ' || {{ list_join('matched_codes', ', ') }}
                                else ''
                            end
                            || case
                                when {{ list_join('matched_keywords', ', ') }} <> ''
                                    then ': keywords ' || {{ list_join('matched_keywords', ', ') }}
                                else ''
                            end
                    when is_blank then 'neither text nor codes'
                    when is_foreign then 'no codes and text in ' || language
                    else 'no definition matches'
                end
        end as reason,
        label_is_ai is not null as is_labelled
    from assessed

)

select
    document_id,
    document_type,
    is_ai,
    case
        when is_labelled then 'label'
        when is_ai is not null then 'rule'
    end as decided_by,
    decision_source,
    reason,
    cast(null as double) as outer_probability,
    cast(null as double) as inner_probability,
    cast(null as string) as model_version
from decided
