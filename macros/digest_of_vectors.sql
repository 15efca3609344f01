{#
  SQL of one row, `vectors_digest`: what names all vectors of a relation like int_documents_compared, whatever the order of
  its rows. Equal digests, equal documents, years, texts and encoders.
#}
{% macro digest_of_vectors(relation) -%}
    {%- set content -%}
        md5(space || ' ' || document_id || ' ' || cast(year as string) || ' ' || text_hash || ' ' || model_version)
    {%- endset -%}
    select
        cast(count(*) as string)
        || '-' || cast(coalesce(sum({{ hex_to_bigint('substring(' ~ content ~ ', 1, 8)') }}), 0) as string)
        || '-' || cast(coalesce(sum({{ hex_to_bigint('substring(' ~ content ~ ', 9, 8)') }}), 0) as string)
        as vectors_digest
    from {{ relation }}
{%- endmacro %}
