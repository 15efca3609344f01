{# Stops before any work when a variable has a value that no model understands. An on-run-start hook. #}
{% macro check_variables() -%}
    {%- set choices = {
        'embedded_documents': ['ai', 'all'],
        'embedding_precision': ['auto', 'f32', 'bf16'],
        'embedding_device': ['auto', 'cpu', 'cuda'],
        'classifier_precision': ['auto', 'f32', 'bf16'],
        'classifier_device': ['auto', 'cpu', 'cuda'],
        'classified_papers': ['all', 'rules'],
        'classified_patents': ['all', 'rules'],
        'embedding_text': ['title_abstract', 'keywords'],
        'published_embedding_text': ['title_abstract', 'keywords'],
        'matching_method': ['auto', 'exact', 'hnsw'],
        'pair_ranking': ['fused', 'similarity'],
        'matching_device': ['auto', 'cpu', 'cuda'],
        'matched_patent_year': ['year', 'filing', 'priority', 'publication'],
        'shards': [1, 16, 256, 4096],
    } -%}
    {%- for name, allowed in choices.items() if var(name) not in allowed -%}
        {{ exceptions.raise_compiler_error(
            "The variable `" ~ name ~ "` is " ~ var(name) ~ "; set it to one of " ~ allowed | join(', ') ~ "."
        ) }}
    {%- endfor -%}
    {%- set least = {
        'earliest_year': 1, 'embedding_maximum_tokens': 1, 'keyword_count': 1, 'minimum_document_frequency': 1,
        'top_k': 1, 'minimum_lag_years': 0, 'audited_papers': 1,
        'patents_per_block': 1, 'matching_memory_gib': 1, 'inner_label_priority': 1, 'baseline_examples': 1,
        'judged_links': 1, 'least_calibration_links': 1, 'csls_neighbours': 1, 'bootstrap_draws': 1,
        'novelty_burn_in_documents': 1, 'novelty_seed': 0,
    } -%}
    {%- for name, smallest in least.items() if var(name) is not integer or var(name) < smallest -%}
        {{ exceptions.raise_compiler_error(
            "The variable `" ~ name ~ "` is " ~ var(name) ~ "; set it to a whole number from " ~ smallest ~ "."
        ) }}
    {%- endfor -%}
    {%- set least_lag, most_lag = var('minimum_lag_years'), var('maximum_lag_years') -%}
    {%- if most_lag is not none and (most_lag is not integer or most_lag < least_lag) -%}
        {{ exceptions.raise_compiler_error(
            "The variable `maximum_lag_years` is " ~ most_lag ~ "; set it to null, or to a whole number from "
            ~ least_lag ~ ", which is `minimum_lag_years`."
        ) }}
    {%- endif -%}
    {%- for name in ['keyword_diversity', 'recall_at_1_floor', 'recall_at_k_floor', 'spark_gpus_per_task'] -%}
        {%- if var(name) is not number or not 0 <= var(name) <= 1 -%}
            {{ exceptions.raise_compiler_error(
                "The variable `" ~ name ~ "` is " ~ var(name) ~ "; set it to a number from 0 to 1."
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {%- if var('linked_share') is not number or not 0 < var('linked_share') <= 0.5 -%}
        {{ exceptions.raise_compiler_error(
            "The variable `linked_share` is " ~ var('linked_share') ~ "; set it to a number above 0, at most 0.5."
        ) }}
    {%- endif -%}
    {%- set expansion = var('hnsw_expansion_search') -%}
    {%- if expansion != 'auto' and (expansion is not integer or expansion < 1) -%}
        {{ exceptions.raise_compiler_error(
            "The variable `hnsw_expansion_search` is " ~ expansion ~ "; set it to auto or to a whole number from 1."
        ) }}
    {%- endif -%}
    {%- if var('novelty_communities') != 'auto' and (
        var('novelty_communities') is not integer or var('novelty_communities') < 2
    ) -%}
        {{ exceptions.raise_compiler_error(
            "The variable `novelty_communities` is " ~ var('novelty_communities')
            ~ "; set it to auto or to a whole number from 2."
        ) }}
    {%- endif -%}
    {%- if var('novelty_decay') is not number or not 0 < var('novelty_decay') <= 1 -%}
        {{ exceptions.raise_compiler_error(
            "The variable `novelty_decay` is " ~ var('novelty_decay') ~ "; set it to a number above 0, at most 1."
        ) }}
    {%- endif -%}
{%- endmacro %}
