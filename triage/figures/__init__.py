"""The figures of the desk: what became of its tickets, in numbers that say what they rest on."""
