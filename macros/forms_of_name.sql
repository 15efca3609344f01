{#
  SQL of the rows of a relation, each with every form in which a document may know the name in a column: `document_name`
  and `form_rank`, 1 as it is written, 2 as the id of OpenAlex or arXiv, DOI or publication number that it is in another
  form, 3 as the number of a work of OpenAlex or of an American patent that is written without what belongs before it.
#}
{% macro forms_of_name(relation, name) -%}
    {%- set digits = "nullif(" ~ regexp_first(name, '^[0-9]{5,12}$') ~ ", '')" -%}
    {#- Also with commas, noughts in front and the kind: 9,824,690 B2. -#}
    {%- set of_america = (
        "'US' || nullif(" ~ regexp_first(name, '^[0-9][0-9,]{4,11} ?(?:[ABEHPS][0-9]?)?$') ~ ", '')"
    ) -%}
    {%- for rank, form in [
        (1, name),
        (2, clean_openalex_id(name)),
        (2, "'arXiv:' || " ~ clean_arxiv_id(name)),
        (2, clean_doi(name)),
        (2, clean_publication_number(name)),
        (3, "'W' || " ~ digits),
        (3, clean_publication_number(of_america)),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        *,
        {{ form }} as document_name,
        {{ rank }} as form_rank
    from {{ relation }}
    {%- endfor %}
{%- endmacro %}


{#
  SQL of the documents that the rows of a relation name: record_file, record_row, document_type and document_id.
  A name as it is written means every document that has it, of the source and type that the row gives, if any. Another
  form of it counts only where that means nothing, and only if one document alone has it.
  relation: record_file, record_row, document_type and source_name, either may be null; name: its column of names.
#}
{% macro documents_named(relation, name) -%}
    select distinct
        record_file,
        record_row,
        document_type,
        document_id
    from (
        select
            *,
            min(document_id) over (
                partition by record_file, record_row, document_type, match_rank
            ) as first_id,
            max(document_id) over (
                partition by record_file, record_row, document_type, match_rank
            ) as last_id,
            min(match_rank) over (partition by record_file, record_row, document_type) as best_rank
        from (
            select
                named.record_file,
                named.record_row,
                named.document_type,
                names.document_id,
                named.form_rank + case when names.is_shortened then 10 else 0 end as match_rank
            from ({{ forms_of_name(relation, name) }}) as named
            inner join {{ ref('int_document_names') }} as names
                on
                    named.document_name = names.document_name
                    and (named.document_type is null or named.document_type = names.document_type)
                    and (named.source_name is null or named.source_name = names.source_name)
        ) as matches
    ) as ranked
    where match_rank = best_rank and (match_rank = 1 or first_id = last_id)
{%- endmacro %}
