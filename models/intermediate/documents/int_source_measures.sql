-- depends_on: {{ ref('int_source_measures_before') }}
{% for document_type in ['paper', 'patent'] %}
{% set is_last_type = loop.last %}
{% for system, model in staging_models(document_type ~ 's').items() %}
{{ source_measures(ref(model), system, document_type) }}
{{ 'union all' if not (loop.last and is_last_type) }}
{% endfor %}
{% endfor %}
