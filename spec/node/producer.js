// Enqueues jobs as node-resque does: <socket> <namespace> <queue> <class> <count> [args as JSON]
// Without args, job i gets [{"n": i}]. Prints {"queued": count}.
"use strict";

const { Queue } = require("node-resque");
const { connect, fail, say } = require("./peer");

async function main() {
  const { connection, redis, rest } = connect();
  const [name, job, count, args] = rest;
  const queue = new Queue({ connection });
  queue.on("error", fail);
  await queue.connect();
  for (let n = 1; n <= Number(count); n += 1) {
    await queue.enqueue(name, job, args === undefined ? [{ n }] : JSON.parse(args));
  }
  say({ queued: Number(count) });
  await queue.end();
  redis.disconnect();
}

main().catch(fail);
