with

hyperedges as (

    select * from {{ ref('int_hyperedges') }}
    where hypergraph = 'content'

),

document_pairs as (

    select
        hyperedges.document_id,
        hyperedges.document_type,
        hyperedges.year,
        first_node,
        second_node
    from hyperedges
    {{ unnest_list('hyperedges.nodes', 'first_node', 'first_position') }}
    {{ unnest_list('hyperedges.nodes', 'second_node', 'second_position') }}
    where second_position > first_position

),

-- Half a document is added to what was counted, so that a pair never seen is rare and not impossible.
measured as (

    select
        document_pairs.document_id,
        known.earlier_documents,
        known.are_known,
        case
            when known.are_known then ln((known.earlier_documents + 0.5e0) / (known.expected_documents + 0.5e0))
        end as pmi,
        case
            when known.are_known and known.expected_documents > 0
                then (known.earlier_documents + 0.5e0) / (2 * known.expected_documents)
        end as commonness,
        case
            when known.are_known and known.expected_documents > 0
                then (known.earlier_documents - known.expected_documents) / sqrt(known.expected_documents)
        end as atypicality
    from document_pairs
    inner join {{ ref('int_keyword_pairs_known') }} as known
        on
            document_pairs.document_type = known.document_type
            and document_pairs.first_node = known.first_node
            and document_pairs.second_node = known.second_node
            and document_pairs.year = known.year

),

ranked as (

    select
        *,
        row_number() over (
            partition by document_id
            order by commonness nulls last
        ) as commonness_rank,
        row_number() over (
            partition by document_id
            order by atypicality nulls last
        ) as atypicality_rank,
        count(atypicality) over (
            partition by document_id
            order by atypicality nulls last
            rows between unbounded preceding and unbounded following
        ) as compared_pairs
    from measured

),

pairs as (

    select
        document_id,
        count(case when earlier_documents = 0 then 1 end) / cast(count(*) as double) as new_pair_share,
        min(case when are_known then earlier_documents end) as rarest_pair_documents,
        cast(sum({{ exact('pmi', 12) }}) as double) / nullif(count(pmi), 0) as mean_pmi,
        -ln({{ interpolated_tenth(1, 'commonness', 'commonness_rank', 'compared_pairs') }}) as commonness_novelty,
        {{ interpolated_tenth(5, 'atypicality', 'atypicality_rank', 'compared_pairs') }} as atypicality_median,
        {{ interpolated_tenth(1, 'atypicality', 'atypicality_rank', 'compared_pairs') }} as atypicality_tenth_percentile
    from ranked
    group by document_id

),

keywords as (

    select
        document_id,
        cast(count(*) as integer) as keyword_count,
        count(case when not is_known then 1 end) / cast(count(*) as double) as new_keyword_share,
        sum(keyword_age) / cast(count(*) as double) as mean_keyword_age,
        min(keyword_age) as youngest_keyword_age
    from {{ ref('int_document_keywords_known') }}
    group by document_id

)

select
    hyperedges.document_id,
    hyperedges.document_type,
    hyperedges.year,
    keywords.keyword_count,
    keywords.new_keyword_share,
    keywords.mean_keyword_age,
    keywords.youngest_keyword_age,
    pairs.new_pair_share,
    pairs.rarest_pair_documents,
    pairs.mean_pmi,
    pairs.commonness_novelty,
    pairs.atypicality_median,
    pairs.atypicality_tenth_percentile
from hyperedges
inner join keywords on hyperedges.document_id = keywords.document_id
left join pairs on hyperedges.document_id = pairs.document_id
