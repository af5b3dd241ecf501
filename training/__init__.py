"""From a desk's ticket history to a signed model bundle."""
