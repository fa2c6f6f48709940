"""Queries: the read side: nothing here writes.

`slot_cards`, `my_bookings` and `missed_slots` are a worker's, `checkin` the kiosk's and the roster's, `manager` and
`admin` theirs, with `disclosure` deciding what staff may see. `station_lookup` finds stations, `person_lookup` people,
`name_order` sorts them; `name_search` compares what was typed, `name_readings` has the pinyin, `folding` drops case and
dots. `change_feed` says when an answer is outdated.
"""
