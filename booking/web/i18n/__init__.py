"""I18n: the reader's language, formatting of times and numbers, and the sentences for reason codes."""
