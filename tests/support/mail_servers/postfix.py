"""Postfix: its configuration for the tests."""

from tests.support.mail_servers import OWNER, READERS, Kind

MAIN = """
compatibility_level = 3.6
myhostname = mail.example.test
queue_directory = /srv/spool/postfix
data_directory = /srv/spool/data
maillog_file = /srv/postfix.log
maillog_file_prefixes = /srv
inet_protocols = ipv4
mydestination =
alias_maps =
smtpd_error_sleep_time = 0
virtual_mailbox_domains = example.com
virtual_mailbox_base = /srv
virtual_mailbox_maps = texthash:/etc/postfix/readers
virtual_uid_maps = static:OWNER
virtual_gid_maps = static:OWNER
"""
MASTER = """
127.0.0.1:PORT inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
AUTH = """
smtpd_tls_chain_files = /srv/tls/mail.key, /srv/tls/mail.pem
smtpd_tls_security_level = encrypt
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = mail.example.test
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_sender_login_maps = inline:{lunch@example.com=lunch@mail.example.test}
smtpd_sender_restrictions = reject_sender_login_mismatch
"""
FEATURES = {
    "starttls": AUTH,
    "smtps": f"{AUTH}smtpd_tls_wrappermode = yes",
    "stranger": "mynetworks =",
    "login": "smtpd_sasl_path = login",
    "small": "message_size_limit = 1000",
    "full": "smtpd_recipient_restrictions = check_recipient_access inline:{{a5@example.com = 452 4.2.2 mailbox full}}",
    "no space": "queue_minfree = 1000000000000000",
    "strange sender": "smtpd_sender_restrictions = check_sender_access inline:{lunch@example.com=REJECT}",
    "hasty": "smtpd_timeout = 1s",
    "one connection": "smtpd_client_connection_count_limit = 1\nsmtpd_client_event_limit_exceptions =",
    "utf8": "smtputf8_enable = yes",
}
BEGIN = """
mkdir -p /srv/spool/postfix /srv/spool/data
chown postfix /srv/spool/data
cp -n /usr/share/postfix/dynamicmaps.cf /etc/postfix
echo right | saslpasswd2 -p -c -u mail.example.test lunch
chown postfix /etc/sasldb2
exec postfix start-fg
"""


def files(port: int, pieces: str) -> dict[str, str]:
    utf8 = "" if FEATURES["utf8"] in pieces else "smtputf8_enable = no\n"
    sasl = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: "
    return {
        "postfix/main.cf": f"{MAIN.replace('OWNER', str(OWNER))}{utf8}{pieces}\n",
        "postfix/master.cf": MASTER.replace("PORT", str(port)),
        "postfix/readers": "".join(f"{name}@example.com box/\n" for name in READERS),
        "postfix/sasl/smtpd.conf": f"{sasl}PLAIN\n",
        "postfix/sasl/login.conf": f"{sasl}LOGIN\n",
    }


KIND = Kind(
    "Postfix", ("postfix", "sasl2-bin"), ("postfix", "postdrop"), BEGIN, FEATURES, files, "postfix/[aid]*/**/[0-9A-F]*"
)
