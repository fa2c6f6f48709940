"""OpenSMTPD: its configuration for the tests."""

from tests.support.mail_servers import READERS, Kind

CONFIGURATION = """
table readers file:/etc/readers
table secrets file:/etc/secrets
PIECES
listen on 127.0.0.1 port PORT LISTEN
action "box" maildir "/srv/box" virtual <readers>
match from any SENDER for domain "example.com" action "box"
"""
PKI = 'pki mail cert "/srv/tls/mail.pem"\npki mail key "/srv/tls/mail.key"'
# What begins with a word in capitals stands there in the configuration.
FEATURES = {
    "starttls": f"{PKI}\nLISTEN tls-require pki mail auth <secrets>",
    "smtps": f"{PKI}\nLISTEN smtps pki mail auth <secrets>",
    "small": "smtp max-message-size 1000",
    "full": 'filter "full" phase rcpt-to match rcpt-to { "a5@example.com" } reject "452 4.2.2 full"\nLISTEN filter "full"',
    "strange sender": 'SENDER mail-from "lin@example.com"',
    "few": "smtp limit max-mails 3",
}
BEGIN = """
mount -t tmpfs none /var/lib  # nothing of this run is left there
mkdir -p /var/lib/opensmtpd/empty
chmod 755 /srv/tls
chmod 600 /srv/tls/* || true
echo mail.example.test > /etc/mailname
echo "lunch $(openssl passwd -6 right)" > /etc/secrets
exec smtpd -d -v
"""


def files(port: int, pieces: str) -> dict[str, str]:
    text, rest = CONFIGURATION.replace("PORT", str(port)), []
    for line in pieces.splitlines():
        word, _, more = line.partition(" ")
        if word.isupper():
            text = text.replace(f"{word}", more)
        else:
            rest.append(line)
    text = text.replace("PIECES", "\n".join(rest)).replace("LISTEN", "").replace("SENDER", "")
    readers = "".join(f"{name}@example.com lunch\n" for name in READERS)
    return {"smtpd.conf": text, "readers": readers}


KIND = Kind("OpenSMTPD", ("opensmtpd",), ("opensmtpd", "opensmtpq"), BEGIN, FEATURES, files, "smtpd/queue/*/*")
