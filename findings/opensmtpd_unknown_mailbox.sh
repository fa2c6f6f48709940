#!/usr/bin/env bash
# OpenSMTPD 6.8.0p2 (Debian 12) refuses an unknown mailbox in words from which a sender cannot tell what is wrong.
# 1. Where mailboxes stand in a virtual table, an unknown one is "524 5.2.4 Mailing list expansion problem", though there is
#    no list (RFC 3463, 3.3); the code for it is 5.1.1. Who goes by the codes does not take the address for dead.
# 2. Where they are users of the system, it is "550 Invalid recipient", and so is every address of a domain that the
#    server does not relay for (5.7.1). Neither has an enhanced status code, although EHLO announces ENHANCEDSTATUSCODES
#    (RFC 2034, 4: all answers have one, but the greeting and those to HELO and EHLO). Who goes by the text loses all
#    addresses to a rule that is missing in smtpd.conf.
# Source: lka_resume in lka_session.c words the answer, smtp_session_imsg in smtp_session.c passes it on.
# Needs root, for a mount namespace, and libssl3 of the system (tried with 3.0.19-1~deb12u2; Debian replaces it too often
# to pin it).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
chmod 755 .
apt-get download -qq -o APT::Sandbox::User=root opensmtpd=6.8.0p2-4+b4 libevent-2.1-7=2.1.12-stable-8 libdb5.3=5.3.28+dfsg2-1
for package in *.deb; do dpkg-deb -x "$package" tree; done
mkdir spool
cat >tree/etc/smtpd.conf <<'CONF'
table boxes { "lin@virtual.example" = nobody }
listen on 127.0.0.1 port 2599
action "virtual" maildir "/tmp/none" virtual <boxes>
action "users" maildir "/tmp/none"
match from any for domain "virtual.example" action "virtual"
match from any for domain "users.example" action "users"
CONF
cat >begin <<'BEGIN'
set -e
mount -t tmpfs none /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay overlay -o lowerdir="$1/tree/usr:/usr" /usr
mount -t overlay overlay -o lowerdir="$1/tree/etc:/etc,upperdir=/mnt/upper,workdir=/mnt/work" /etc
mount -t tmpfs none /run
mount -t tmpfs none /var/lib
mount --bind "$1/spool" /var/spool
mkdir -p /var/lib/opensmtpd/empty
for name in opensmtpd opensmtpq; do useradd --system --user-group --no-create-home "$name"; done
echo mail.example.test >/etc/mailname
exec smtpd -d
BEGIN
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc bash "$folder/begin" "$folder" >log 2>&1 &
found=$(python3 - <<'PY'
import smtplib
import time

for _ in range(100):
    try:
        smtp = smtplib.SMTP("127.0.0.1", 2599, timeout=30)
        break
    except OSError:
        time.sleep(0.1)
smtp.ehlo()
print("announced:", "enhancedstatuscodes" in smtp.esmtp_features)
for to in ("nobody-here@virtual.example", "nobody-here@users.example", "lin@elsewhere.example"):
    smtp.mail("lunch@example.com")
    code, said = smtp.rcpt(to)
    print(to, "|", code, said.decode())
    smtp.rset()
PY
)
kill %1
echo "$found"
[ "$found" = "announced: True
nobody-here@virtual.example | 524 5.2.4 Mailing list expansion problem: <nobody-here@virtual.example>
nobody-here@users.example | 550 Invalid recipient: <nobody-here@users.example>
lin@elsewhere.example | 550 Invalid recipient: <lin@elsewhere.example>" ]
