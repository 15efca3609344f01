{#
  SQL of the vectors in the spaces that papers and patents are compared in, of every text and encoder that was ever
  embedded: space, document_id, text_hash, model_version and embedding. The first four are a key, and
  int_documents_compared says which of them count.
  document_vectors, keyword_vectors: relations of embedded texts.
#}
{% macro compared_vectors(document_vectors, keyword_vectors) -%}
    {% if 'title_abstract' in [var('compared_space'), var('published_space')] -%}
    select
        'title_abstract' as space,
        document_id,
        text_hash,
        model_version,
        embedding
    from {{ document_vectors }}

    union all

    {% endif -%}
    select
        'keywords' as space,
        document_id,
        text_hash,
        model_version,
        embedding
    from {{ keyword_vectors }}
{%- endmacro %}
