#!/usr/bin/env bash
# Five npm packages that look for mistyped e-mail addresses take right ones of China for mistakes, and propose a stranger's.
# 1. email-typo-fixer 1.1.0 turns wang@163.com into wang@aol.com, and 126.com and 139.com too: it corrects to the nearest of six providers
#    within three changes, and so far are any three signs before .com from aol. 163.com and 126.com are NetEase's, 139.com is
#    China Mobile's. qq.com, with two signs, stays as it is, so a test with it passes.
# 2. For foxmail.com, which is Tencent's, all five propose hotmail.com.
# 3. deep-email-validator 0.1.27 refuses whatever mailcheck 1.1.1 proposes another for ("reason": "typo"; on by default): so foxmail.com,
#    and every domain under .cn, of China Telecom and China Unicom, of the government and of Peking University. mailcheck's
#    list of endings has com.tw and no cn; the nearest are ca for .cn, edu for .edu.cn and gov for .gov.cn. (Issue 29, closed in
#    2021; an option adds endings.) @zootools/email-spell-checker 1.12.0 has added cn, but not the double endings.
# Source: the READMEs, by which these find typos; the lists of domains in each package, defaultTopLevelDomains in mailcheck.js.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund deep-email-validator@0.1.27 mailcheck@1.1.1 @zootools/email-spell-checker@1.12.0 \
    email-misspelled@4.4.0 email-typo-fixer@1.1.0 >/dev/null
cat >ask.mjs <<'JS'
import speller from "@zootools/email-spell-checker";
import { validate } from "deep-email-validator";
import emailMisspelled, { top100 } from "email-misspelled";
import { emailTypoFixer } from "email-typo-fixer";
import mailcheck from "mailcheck";

const domains = [
  "qq.com", "foxmail.com", "163.com", "126.com", "139.com", "yeah.net", "sina.com", "sina.cn", "sohu.com", "aliyun.com", "189.cn", "wo.cn",
  "pku.edu.cn", "example.cn", "example.com.cn", "example.edu.cn", "example.gov.cn", "example.org.cn",
];
const offline = { validateMx: false, validateSMTP: false, validateDisposable: false };
const misspelled = emailMisspelled({ domains: top100 });
const proposals = {
  "deep-email-validator": async (email) => (await validate({ email, ...offline })).validators.typo.reason?.split("@")[1],
  mailcheck: (email) => mailcheck.run({ email })?.domain,
  "email-spell-checker": (email) => speller.run({ email })?.domain,
  "email-misspelled": (email) => misspelled(email)[0]?.suggest,
  "email-typo-fixer": (email) => emailTypoFixer(email).suggested?.split("@")[1],
};
for (const [name, propose] of Object.entries(proposals)) {
  const told = [];
  for (const domain of domains) {
    const other = await propose(`wang@${domain}`);
    if (other) told.push(`${domain} > ${other}`);
  }
  console.log(name, "|", told.join(", "));
}
JS
found=$(node ask.mjs)
echo "$found"
[ "$found" = "deep-email-validator | foxmail.com > hotmail.com, sina.cn > sina.ca, 189.cn > 189.ca, wo.cn > wo.ca, pku.edu.cn > pku.edu, example.cn > example.ca, example.com.cn > example.com, example.edu.cn > example.edu, example.gov.cn > example.gov, example.org.cn > example.org
mailcheck | foxmail.com > hotmail.com, sina.cn > sina.ca, 189.cn > 189.ca, wo.cn > wo.ca, pku.edu.cn > pku.edu, example.cn > example.ca, example.com.cn > example.com, example.edu.cn > example.edu, example.gov.cn > example.gov, example.org.cn > example.org
email-spell-checker | foxmail.com > hotmail.com, pku.edu.cn > pku.edu, example.com.cn > example.com, example.edu.cn > example.edu, example.gov.cn > example.gov, example.org.cn > example.org
email-misspelled | foxmail.com > hotmail.com
email-typo-fixer | foxmail.com > hotmail.com, 163.com > aol.com, 126.com > aol.com, 139.com > aol.com" ]
