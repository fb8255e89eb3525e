// What the three peers share: the arguments and one connection to the spec's private Redis.
"use strict";

const Redis = require("ioredis");

// Every peer is started as: node <peer>.js <unix socket of Redis> <prefix without its colon> [...]
function connect() {
  const [socket, namespace, ...rest] = process.argv.slice(2);
  const redis = new Redis({ path: socket, retryStrategy: null });
  redis.on("error", (error) => fail(error));
  return { connection: { redis, namespace }, redis, rest };
}

function fail(error) {
  process.stderr.write(`${error && error.stack ? error.stack : error}\n`);
  process.exit(1);
}

// One JSON value per line, so that the spec can read it while we run.
function say(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

module.exports = { connect, fail, say };
