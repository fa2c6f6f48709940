"""Web: the pages and everything about HTTP.

A request passes `request_log`, `middleware` and the fast path (`fast_lane`, from the response `cache`), then a blueprint:
`worker`, `manager`, `admin`, `network`, `account` or `kiosk`. `security` says who it is and what they may, `forms` reads
input, `i18n` writes the sentences.
"""
