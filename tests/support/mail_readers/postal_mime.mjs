// What postal-mime reads in each of the files: a list in JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [folder, ...files] = process.argv.slice(2);
const { default: PostalMime } = await import(pathToFileURL(createRequire(`${folder}/x.js`).resolve("postal-mime")));
const found = [];
for (const file of files) {
  const mail = await PostalMime.parse(readFileSync(file), { attachmentEncoding: "utf8" });
  found.push({
    subject: mail.subject,
    sender: [mail.from.name, mail.from.address],
    to: mail.to.map(({ address }) => address),
    date: new Date(mail.date).toISOString().replace(".000Z", "+00:00"),
    message_id: mail.messageId,
    text: mail.text,
    page: mail.html,
    method: mail.attachments.map(({ method }) => method ?? "").join(""),
    files: mail.attachments.map(({ mimeType, filename, content }) => [mimeType, filename, content]),
    unsubscribe: mail.headers.find(({ key }) => key === "list-unsubscribe")?.value ?? "",
  });
}
console.log(JSON.stringify(found));
