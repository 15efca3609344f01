-- The block model and the indicators must mean the same keywords by known ones.
select
    novelty.document_id,
    novelty.keyword_count,
    novelty.known_keywords
from {{ ref('document_novelty') }} as novelty
inner join {{ ref('int_documents_novelty_indicated') }} as indicators on novelty.document_id = indicators.document_id
where
    novelty.keyword_count <> indicators.keyword_count
    or abs(novelty.known_keywords - indicators.keyword_count * (1 - indicators.new_keyword_share)) > 0.001
