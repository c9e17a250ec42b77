raise OSError("of the import")
