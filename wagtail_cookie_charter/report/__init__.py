"""What visitors answered, in figures, lists and files, for those who answer for it."""
