-- depends_on: {{ ref('matching_audit') }}
select * from {{ ref('paper_patent_pairs') }}
order by paper_number, embedding_text, rank
