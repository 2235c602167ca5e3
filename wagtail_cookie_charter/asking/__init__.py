"""Whether visitors are asked again: said before it happens, and done on purpose."""
