"""Mail: `digests` says who gets the daily letters, `letters` words one, `outbox` sends what is due.

`facts` and `report` look up what a letter tells, `links` makes its addresses, `post` talks SMTP.
"""
