{{ as_of_last_build('int_files_delivered', {
    'record_file': 'string', 'bytes': 'bigint', 'modified_at': 'bigint', 'sha256': 'string',
}) }}
