"""Parsing of dates, times, numbers and weekdays as people write them, typed in a form or stored in a spreadsheet.

Every reader takes the text and returns the value, or None for what it does not understand: an ambiguous text is not
guessed at. The one exception is a date without a year, which is the next such day; `dates.lacks_year` tells it.
"""
