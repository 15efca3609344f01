{{ as_of_last_build('int_source_measures', {
    'source_system': 'string', 'source_name': 'string', 'document_type': 'string', 'measure': 'string',
    'item': 'string', 'records': 'bigint',
}) }}
