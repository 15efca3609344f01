{# The unit of work, memory, resume and distribution that a document belongs to: leading digits of its id's hash. #}
{% macro shard(document_id) -%}
{%- set digits = {1: 0, 16: 1, 256: 2, 4096: 3}[var('shards')] -%}
substring(md5({{ document_id }}), 1, {{ digits }})
{%- endmacro %}
