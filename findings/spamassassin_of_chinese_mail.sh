#!/usr/bin/env bash
# SpamAssassin 4.0.1 (Debian 12, perl 5.36), by its local rules alone, calls two things of ordinary Chinese mail signs of spam.
# 1. QQ Mail's own outgoing servers (out203-205-221-190.mail.qq.com handed a letter to linux-wireless@vger.kernel.org on
#    2023-11-28, Message-ID tencent_0CCA1979CFA30DC8A5CF8DDC92365DCE5D07@qq.com) pass for dial-up lines, because the name
#    carries the address: HELO_DYNAMIC_IPADDR and RDNS_DYNAMIC are 5.3 points, and 5.0 are enough for spam. NetEase's,
#    Aliyun's and Google's are not taken for that.
# 2. A Chinese letter, which has no spaces, is "vertical text obfuscation" (TVD_SPACE_RATIO_MINFP, unless SPF or DKIM
#    passes, which local rules do not ask).
# Source: 20_dynrdns.cf, 72_active.cf, and tvd_vertical_words in Mail/SpamAssassin/Plugin/BodyEval.pm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq -o APT::Sandbox::User=root spamassassin=4.0.1-1~deb12u1 \
    libhtml-parser-perl=3.81-1+deb12u1 libhtml-tagset-perl=3.20-6 libio-socket-ssl-perl=2.081-2 libnet-dns-perl=1.36-1+deb12u1 \
    libnet-ssleay-perl=1.92-2+b1 libnetaddr-ip-perl=4.079+dfsg-2+b1 libsocket6-perl=0.29-3 liburi-perl=5.17-1 \
    libmail-dkim-perl=1.20230212-2~deb12u1 libmail-authenticationresults-perl=2.20230112-1
for package in *.deb; do dpkg-deb -x "$package" .; done
sed -i "s#'/usr/share/perl5'#'$folder/usr/share/perl5'#" usr/bin/spamassassin
libraries="-I$folder/usr/share/perl5 $(printf -- '-I%s ' "$folder"/usr/lib/*/perl5/5.*)"

judge() { # host, text
    {
        printf 'Received: from %s (%s [203.205.221.190]) by mx.example.net (Postfix) with ESMTPS id 4E22288C3D\n' "$1" "$1"
        printf ' for <lin@example.net>; Mon, 23 Nov 2026 10:00:00 +0800\nDate: Mon, 23 Nov 2026 10:00:00 +0800\n'
        printf 'From: Lunch Hour <lunch@example.com>\nTo: Lin <lin@example.net>\nSubject: =?utf-8?b?6aKE57qm5oiQ5Yqf?=\n'
        printf 'Message-ID: <4f1d8a7be2c94d5f9a@example.com>\nMIME-Version: 1.0\n'
        printf 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n%s\n' "$2"
    } | HOME=$folder perl -T $libraries usr/bin/spamassassin --local --configpath=usr/share/spamassassin --siteconfigpath=etc/spamassassin \
        --nocreate-prefs --cf='report_safe 0' --cf='fold_headers 0' --cf='add_header all Points _TESTSSCORES(,)_' |
        sed -n 's/^X-Spam-Points: //p'
}
english='Hello Lin, you have a seat in the yoga class tomorrow at ten past twelve.'
chinese='林晓你好，你已经预约了明天中午十二点十分的白领瑜伽课堂，名额是你的，请提前十分钟到健身区签到。'
found=$(
    for host in out203-205-221-190.mail.qq.com mail-m24108.qiye.163.com out30-98.freemail.mail.aliyun.com mail-sor-f41.google.com; do
        echo "$host: $(judge "$host" "$english")"
    done
    echo "Chinese: $(judge out7.example.com "$chinese")"
)
echo "$found"
[ "$found" = "out203-205-221-190.mail.qq.com: HELO_DYNAMIC_IPADDR=2.633,RDNS_DYNAMIC=2.639
mail-m24108.qiye.163.com: none
out30-98.freemail.mail.aliyun.com: none
mail-sor-f41.google.com: none
Chinese: TVD_SPACE_RATIO_MINFP=1" ]
