// Works queues as a node-resque worker: <socket> <namespace> <queues, comma list> <jobs to run before it ends>
// Knows Add (any arguments; succeeds) and Boom (throws).
// Prints one line per job: {"class", "args"} or {"class", "error"}.
"use strict";

const { Worker } = require("node-resque");
const { connect, fail, say } = require("./peer");

const jobs = {
  Add: { perform: async (...args) => args.length },
  Boom: {
    perform: async () => {
      throw new TypeError("boom");
    },
  },
};

async function main() {
  const { connection, redis, rest } = connect();
  const [queues, limit] = rest;
  const worker = new Worker({ connection, queues: queues.split(","), timeout: 20 }, jobs);
  let left = Number(limit);
  const count = () => {
    left -= 1;
    if (left === 0) setImmediate(() => stop(worker, redis).catch(fail));
  };
  worker.on("success", (queue, job) => {
    say({ class: job.class, args: job.args });
    count();
  });
  worker.on("failure", (queue, job, error) => {
    say({ class: job.class, error: error.message });
    count();
  });
  worker.on("error", fail);
  await worker.connect();
  await worker.start();
}

async function stop(worker, redis) {
  await worker.end();
  redis.disconnect();
}

main().catch(fail);
