"""Web: the pages and everything about HTTP.

A request passes `middleware`, the response cache and the fast path, then a blueprint: `worker`, `manager`, `admin`,
`account` or `kiosk`. `security` says who it is and what they may, `forms` reads input, `i18n` writes the sentences.
"""
