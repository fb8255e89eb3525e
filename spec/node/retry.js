// Retries everything in the failed list as node-resque does (removes by value, enqueues again):
// <socket> <namespace>. Prints {"retried": n}.
"use strict";

const { Queue } = require("node-resque");
const { connect, fail, say } = require("./peer");

async function main() {
  const { connection, redis } = connect();
  const queue = new Queue({ connection });
  queue.on("error", fail);
  await queue.connect();
  const failed = await queue.failed(0, -1);
  for (const job of failed) await queue.retryAndRemoveFailed(job);
  say({ retried: failed.length });
  await queue.end();
  redis.disconnect();
}

main().catch(fail);
