"""The open data portal of a city that does not exist: the package at work in a real project."""
