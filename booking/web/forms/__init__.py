"""Forms: the fields and validators of every page, one file for each audience."""
