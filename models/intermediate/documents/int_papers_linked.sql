{# Records of one paper are a chain of keys, most often of one. So many turns follow every chain met in practice, and a
   test fails where they do not. #}
{% set turns = 6 %}
with

pairs as (

    select * from {{ ref('int_papers_paired') }}

),

arxiv_ids as (

    select distinct
        arxiv_id,
        record_document_id
    from {{ ref('int_papers_keyed') }}
    where arxiv_id is not null

),

shared_arxiv_ids as (

    select arxiv_id
    from arxiv_ids
    group by arxiv_id
    having count(*) > 1

),

-- What papers share: an id of arXiv, or a pair that was found to be the same by its DOI or its title.
links as (

    select
        arxiv_ids.arxiv_id as link,
        arxiv_ids.record_document_id,
        '1 arxiv_id' as rule_in_order
    from arxiv_ids
    inner join shared_arxiv_ids on arxiv_ids.arxiv_id = shared_arxiv_ids.arxiv_id

    {% for side in ['first_id', 'second_id'] %}
    union all

    select
        first_id || ' ' || second_id as link,
        {{ side }} as record_document_id,
        case merge_rule when 'doi' then '2 doi' else '3 title' end as rule_in_order
    from pairs
    {% endfor %}

),

known as (

    {{ as_of_last_build('document_numbers', {'document_id': 'string'}, schema='marts', is_register=true) }}

),

-- The id that a group takes is the first by this order: one that was a document's before, OpenAlex's before arXiv's
-- before any other, the older number before the younger one.
ordered as (

    select
        links.link,
        links.record_document_id,
        links.rule_in_order,
        case when known.document_id is null then '1' else '0' end
        || case
            when {{ regexp_first('links.record_document_id', '^W[0-9]+$') }} <> ''
                then '1' || lpad(substring(links.record_document_id, 2, 100), 20, '0')
            when {{ regexp_first('links.record_document_id', '^arXiv:[0-9]') }} <> '' then '3'
            when {{ regexp_first('links.record_document_id', '^arXiv:') }} <> '' then '2'
            else '4'
        end || '|' || links.record_document_id as group_0
    from links
    left join known on links.record_document_id = known.document_id

),

{% for turn in range(turns) %}
sharing_a_link_{{ turn }} as (

    select
        *,
        min(group_{{ turn * 2 }}) over (partition by link) as group_{{ turn * 2 + 1 }}
    from {{ 'ordered' if loop.first else 'sharing_an_id_' ~ (turn - 1) }}

),

sharing_an_id_{{ turn }} as (

    select
        link,
        record_document_id,
        rule_in_order,
        min(group_{{ turn * 2 + 1 }}) over (partition by record_document_id) as group_{{ turn * 2 + 2 }}
    from sharing_a_link_{{ turn }}

),

{% endfor %}
grouped as (

    select
        record_document_id,
        min(rule_in_order) as rule_in_order,
        {{ regexp_first('min(group_' ~ turns * 2 ~ ')', '^[^|]*[|](.*)$', 1) }} as document_id
    from sharing_an_id_{{ turns - 1 }}
    group by record_document_id

)

select
    record_document_id,
    document_id,
    substring(rule_in_order, 3, 100) as merge_rule
from grouped
