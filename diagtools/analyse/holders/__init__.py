"""Who keeps what alive: the objects of a program, as a tree of who holds whom."""
