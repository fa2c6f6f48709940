"""Exim: its configuration for the tests."""

from tests.support.mail_servers import READERS, Kind

# Behind the pieces that are wanted: options and macros.
CONFIGURATION = """
primary_hostname = mail.example.test
spool_directory = /srv/spool/exim
log_file_path = /srv/exim-%slog
daemon_smtp_ports = PORT
local_interfaces = 127.0.0.1
acl_smtp_rcpt = acl_check_rcpt
keep_environment =
smtp_accept_queue_per_connection = 0
.ifndef TLS
tls_advertise_hosts =
.endif
.ifndef UTF8
smtputf8_advertise_hosts =
.endif
begin acl
acl_check_rcpt:
  require verify = sender
.ifdef TLS
  require message = authentication required
          authenticated = *
.endif
  require message = relay not permitted
          domains = example.com
  require verify = recipient
.ifdef FULL
  defer   message = 4.2.2 mailbox full
          local_parts = a5
.endif
  accept
begin routers
box:
  driver = accept
  domains = example.com
  local_parts = lsearch;/etc/exim4/readers
  transport = box
.ifdef STRANGE
  no_verify_sender
.endif
begin transports
box:
  driver = appendfile
  maildir_format
  directory = /srv/box
  user = lunch
begin retry
* * F,2h,15m
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
.ifdef NO_PLAIN
  server_advertise_condition = no
.else
  server_advertise_condition = ${if def:tls_in_cipher}
.endif
  server_condition = ${if and{{eq{$auth2}{lunch}}{eq{$auth3}{right}}}}
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User: : Password:
  server_advertise_condition = ${if def:tls_in_cipher}
  server_condition = ${if and{{eq{$auth1}{lunch}}{eq{$auth2}{right}}}}
"""
STARTTLS = "TLS = yes\ntls_certificate = /srv/tls/mail.pem\ntls_privatekey = /srv/tls/mail.key"
FEATURES = {
    "starttls": STARTTLS,
    "smtps": f"{STARTTLS}\ntls_on_connect_ports = PORT",
    "login": "NO_PLAIN = yes",
    "small": "message_size_limit = 1000",
    "full": "FULL = yes",
    "no space": "check_spool_space = 1000000000",
    "strange sender": "STRANGE = yes",
    "hasty": "smtp_receive_timeout = 1s",
    "one connection": "smtp_accept_max_per_host = 1",
    "few": "smtp_accept_max_per_connection = 3",
    "utf8": "UTF8 = yes",
}
BEGIN = """
mkdir -p /srv/spool/exim
chown -R Debian-exim /srv/spool/exim /srv/tls
chown Debian-exim /srv
exec exim4 -bdf -q1m
"""


def files(port: int, pieces: str) -> dict[str, str]:
    readers = "".join(f"{name}:\n" for name in READERS)
    return {"exim4/exim4.conf": f"{pieces}{CONFIGURATION}".replace("PORT", str(port)), "exim4/readers": readers}


KIND = Kind("Exim", ("exim4-daemon-light",), ("Debian-exim",), BEGIN, FEATURES, files, "exim/input/*")
