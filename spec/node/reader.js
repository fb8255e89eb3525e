// Prints what node-resque reads out of our keys, as one JSON object: <socket> <namespace>
"use strict";

const { Queue } = require("node-resque");
const { connect, fail, say } = require("./peer");

async function main() {
  const { connection, redis } = connect();
  const queue = new Queue({ connection });
  queue.on("error", fail);
  await queue.connect();
  const queues = await queue.queues();
  const queued = {};
  for (const name of queues) queued[name] = await queue.queued(name, 0, -1);
  say({
    queues: queues.sort(),
    queued,
    workers: await queue.workers(),
    working: await queue.allWorkingOn(),
    stats: await queue.stats(),
    failed: await queue.failed(0, -1),
  });
  await queue.end();
  redis.disconnect();
}

main().catch(fail);
