def model(dbt, session):
    return dbt.ref("int_documents_with_candidates")
