"""Claims about the models in SQL, over small deliveries."""
