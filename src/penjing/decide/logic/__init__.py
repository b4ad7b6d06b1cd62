"""What a table of rules means as logic: which of its rows can hold, fire, meet; exact, for the static check."""
