import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ImapFlow } from "imapflow";

test("one mail is unread", async (t) => {
  const ready = mkdtempSync(`${tmpdir()}/mail-`) + "/ready.json";
  const replay = "replay recordings/two-mails.txt --quiet --listen-tls 127.0.0.1:0 --listen-plain none --ready-file";
  const server = spawn("mailscope", [...replay.split(" "), ready], { stdio: "inherit" });
  const ended = once(server, "exit");
  t.after(() => server.kill());
  while (!existsSync(ready)) {
    assert.equal(server.exitCode, null, "mailscope did not start");
    await sleep(10);
  }
  const { tls, ca } = JSON.parse(readFileSync(ready));
  const [host, port] = tls.split(":");
  const auth = { user: "alice", pass: "any password" };
  const app = new ImapFlow({ host, port, secure: true, tls: { ca: readFileSync(ca) }, auth, logger: false });
  await app.connect();
  const lock = await app.getMailboxLock("INBOX");
  assert.deepEqual(await app.search({ seen: false }), [2]);
  lock.release();
  await app.logout();
  server.kill();
  assert.deepEqual(await ended, [0, null], "the app asked for what is not in the recording");
});
