{{ delivery_warnings(
    ref('int_source_measures'), ref('int_source_measures_before'), ref('values_not_understood'), ref('record_counts'),
    ref('rejection_reasons'), delivered_sources(),
    ref('int_files_counted')
) }}
