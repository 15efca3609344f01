{#
  What every variable may be: one of some values, a whole number from one, a number between two, text or a list; `or`
  names a further value. A variable without a rule is unknown.
#}
{% macro variable_rules() -%}
    {%- set choice_of_space = {'one_of': ['title_abstract', 'keywords']} -%}
    {%- set choice_of_documents = {'one_of': ['all', 'rules']} -%}
    {%- set share = {'at_least': 0, 'at_most': 1} -%}
    {{ return({
        'shards': {'one_of': [1, 16, 256, 4096]},
        'device': {'one_of': ['auto', 'cpu', 'cuda']},
        'precision': {'one_of': ['auto', 'f32', 'bf16']},
        'spark_gpus_per_task': share,
        'earliest_year': {'from': 1},
        'paper_types': {'is': 'list'},
        'include_xpac': {'one_of': [true, false]},
        'rejected_share_limit': share,
        'complete_year_share': share,
        'classifiers': {'is': 'text'},
        'operating_point': {'one_of': ['balanced', 'inclusive']},
        'classified_papers': choice_of_documents,
        'classified_patents': choice_of_documents,
        'word_filter': {'one_of': [true, false]},
        'rule_definitions': {'is': 'list'},
        'deciding_label_sources': {'is': 'list'},
        'inner_label_priority': {'from': 1},
        'embedded_documents': {'one_of': ['ai', 'all']},
        'embedding_model': {'is': 'text'},
        'embedding_maximum_tokens': {'from': 1},
        'keyword_count': {'from': 1},
        'keyword_diversity': share,
        'minimum_document_frequency': {'from': 1},
        'novelty_burn_in_documents': {'from': 1},
        'novelty_communities': {'from': 2, 'or': 'auto'},
        'novelty_decay': {'above': 0, 'at_most': 1},
        'compared_space': choice_of_space,
        'published_space': choice_of_space,
        'top_k': {'from': 1},
        'one_patent_per_family': {'one_of': [true, false]},
        'pair_ranking': {'one_of': ['fused', 'similarity']},
        'matched_patent_year': {'one_of': ['year', 'filing', 'priority', 'publication']},
        'minimum_lag_years': {'from': 0},
        'maximum_lag_years': {'from': var('minimum_lag_years'), 'or': none},
        'matching_method': {'one_of': ['auto', 'exact', 'hnsw']},
        'matching_memory_gib': {'from': 1},
        'hnsw_expansion_search': {'from': 1, 'or': 'auto'},
        'linked_share': {'above': 0, 'at_most': 0.5},
        'least_calibration_links': {'from': 1},
        'audited_papers': {'from': 1},
        'recall_at_1_floor': share,
        'recall_at_k_floor': share,
        'filter_recall_floor': share,
        'novelty_seed': {'from': 0},
        'bootstrap_draws': {'from': 1},
        'judged_links': {'from': 1},
        'csls_neighbours': {'from': 1},
        'patents_per_block': {'from': 1},
    }) }}
{%- endmacro %}
