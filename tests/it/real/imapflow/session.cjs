// A session with Node's imapflow; prints all that it obtained.
//
// session.cjs tls|starttls|plain PORT CA USER PASSWORD

const { readFileSync } = require("node:fs");
const { ImapFlow } = require("imapflow");

const [security, port, ca, user, pass] = process.argv.slice(2);
const MAIL = Buffer.from(
  "From: new@example.org\r\nSubject: =?utf-8?q?gr=C3=BCn?=\r\n" +
    "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\ngr\xfcn, and \xe9 in Latin-1\r\n",
  "latin1",
);

function say(title, what) {
  const plain = (key, value) => {
    if (value instanceof Set) return [...value].sort();
    if (value instanceof Map) return [...value].sort();
    if (typeof value === "bigint") return String(value);
    return value;
  };
  console.log(`${title}: ${JSON.stringify(what, plain)}`);
}

async function connect() {
  const client = new ImapFlow({
    host: "localhost",
    port: Number(port),
    secure: security === "tls",
    doSTARTTLS: security === "tls" ? undefined : security === "starttls",
    tls: { ca: readFileSync(ca) },
    auth: { user, pass },
    clientInfo: { name: "mailscope's tests", version: "1", "support-url": null },
    disableAutoIdle: true,
    // Not qresync: with it, this version does not notice the mail that comes behind a VANISHED.
    socketTimeout: 60_000,
    logger: false,
  });
  client.on("error", (error) => fail(error));
  await client.connect();
  return client;
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

async function fetched(client) {
  const wanted = {
    uid: true,
    flags: true,
    size: true,
    internalDate: true,
    envelope: true,
    bodyStructure: true,
    headers: ["subject", "from"],
    source: true,
  };
  for await (const mail of client.fetch("1:*", wanted)) {
    const { seq, uid, flags, size, internalDate, envelope, bodyStructure } = mail;
    say(`FETCH ${seq}`, { uid, flags, size, internalDate, envelope, bodyStructure });
    say("  headers", mail.headers.toString("latin1"));
    say("  source", mail.source.toString("latin1"));
  }
}

async function main() {
  const client = await connect();
  const other = await connect();
  say("secure", client.secureConnection);
  say("compressed", Boolean(client._inflate));
  say("capabilities", client.capabilities);
  say("ENABLE", client.enabled);
  say("ID", client.serverInfo);

  const folders = await client.list({ statusQuery: { messages: true, unseen: true } });
  const shown = ({ path, delimiter, flags, subscribed, status }) => {
    return { path, delimiter, flags, subscribed, status };
  };
  say("LIST", folders.map(shown).sort((a, b) => (a.path < b.path ? -1 : 1)));

  const { exists, uidNext, uidValidity, permanentFlags } = await client.mailboxOpen("INBOX");
  say("SELECT", { exists, uidNext, uidValidity, permanentFlags });
  await fetched(client);
  say("SEARCH", await client.search({ subject: "gr\u00fcn" }, { uid: true }));
  say("STORE", await client.messageFlagsAdd("1", ["\\Flagged", "$Work"]));
  say("MOVE", Boolean(await client.messageMove("2", "Archive")));

  // A mail comes while IDLE is on.
  const arrived = new Promise((resolve) => client.once("exists", resolve));
  const idling = client.idle();
  const appended = await other.append("INBOX", MAIL, ["\\Draft"], new Date(1700000000000));
  say("the other's APPEND", { uid: appended.uid, uidValidity: appended.uidValidity });
  say("IDLE", (({ path, count, prevCount }) => ({ path, count, prevCount }))(await arrived));
  say("NOOP", (await client.noop()) === undefined);
  say("IDLE ended", await idling);
  await fetched(client);

  await other.logout();
  await client.logout();
  say("LOGOUT", client.usable);
}

main().catch(fail);
