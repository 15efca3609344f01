"""What makes seeds of reference, and holds that they are as made."""
