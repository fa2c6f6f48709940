"""Queries: the read side: nothing here writes.

`slot_cards`, `my_bookings` and `missed_slots` are a worker's, `checkin` the kiosk's and the roster's, `manager` and
`admin` theirs, with `disclosure` deciding what staff may see, `station_lookup` finds stations, `name_search` and
`name_order` people. `change_feed` says when an answer is outdated.
"""
