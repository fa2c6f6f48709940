"""Read-only questions: `cards` a worker's, `mine` about oneself, `desk` a manager's, `door` at the door, `places` stations.

`news` tells when an answer is no longer true.
"""
