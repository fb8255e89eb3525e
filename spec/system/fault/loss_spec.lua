--- A network that loses packets: a bucket of the kernel (tbf) between workers and Redis, too small
-- for what they send at a time. TCP sends again; what becomes of jobs is the same.
local uv = require "luv"
local clock = require "spec.support.clock"
local process = require "spec.support.process"
local server = require "spec.support.server"
local world = require "spec.support.world"

-- Drops what comes faster than 20 kB at a time, each way.
local NARROW = "PATH=$PATH:/usr/sbin:/sbin; ip link set lo mtu 1500 up && "
  .. "tc qdisc add dev lo root tbf rate 20mbit burst 1600 limit 20000"

-- Words that put a program into a network of its own; nil where none may be made.
local function own_network(dir)
  for _, user in ipairs { {}, { "--user", "--map-root-user" } } do
    local wrap = { "unshare", "--net", table.unpack(user) }
    table.move({ "sh", "-c", NARROW .. ' && exec "$@"', "sh" }, 1, 4, #wrap + 1, wrap)
    local try = table.move(wrap, 1, #wrap, 1, {})
    try[#try + 1] = "true"
    if process.run(try, { dir = dir }) == 0 then
      return wrap
    end
  end
end

describe("a network that loses packets:", function()
  local w, narrow, shared

  before_each(function()
    w = world.new()
  end)
  after_each(function()
    if narrow then
      w.server = shared
      narrow:stop()
    end
    w:close()
  end)

  local function start_redis()
    local wrap = own_network(w.dir)
    if not wrap then
      pending "this machine allows no network namespaces"
    end
    local dir = w.dir .. "/redis"
    assert(uv.fs_mkdir(dir, 448))
    narrow = server.start { dir = dir, tcp = true, wrap = wrap }
    shared, w.server = w.server, narrow
  end

  -- Words that put a program into the network of that server.
  local function inside()
    local target = ("--target=%d"):format(narrow.process.pid)
    local enter = { "nsenter", target, "--net" }
    if process.run({ "nsenter", target, "--net", "true" }, { dir = w.dir }) ~= 0 then
      table.insert(enter, "--user")
      table.insert(enter, "--preserve-credentials")
    end
    return enter
  end

  local function lost()
    local args = inside()
    table.move({ "sh", "-c", "PATH=$PATH:/usr/sbin:/sbin tc -s qdisc show dev lo" }, 1, 3,
      #args + 1, args)
    local _, out = process.run(args, { dir = w.dir })
    return tonumber(out:match "dropped (%d+)")
  end

  it("every job once, and whole", function()
    start_redis()
    local count = clock.sanitized and 40 or 150
    local text = ("0123456789abcdef"):rep(4096) -- 64 kB: three times what gets through at once
    for n = 1, count do
      w:job(n % 3 == 0 and "Size" or "Note", { n = n, text = n % 3 == 0 and text or nil })
    end
    w:start({ COUNT = "2", REDIS_BACKEND = narrow:backend(true) }, { wrap = inside() })
    w:wait_processed(count, 60)
    local seen = { Note = 0, Size = 0 }
    for _, line in ipairs(w:ledger()) do
      assert.is_nil(seen[line])
      local kind = line:match "^%a+"
      seen[kind] = seen[kind] + 1
      seen[line] = kind == "Note" or nil
      assert.is_truthy(kind == "Note" or line == ("Size %d true"):format(#text))
    end
    assert.same({ count - count // 3, count // 3 }, { seen.Note, seen.Size })
    assert.same({}, (w:failed()))
    local sum = w:account()
    assert.equal(0, sum.queued + sum.working)
    assert.is_true(lost() > 10, ("%d packets were lost"):format(lost()))
    print(("%d jobs, %d packets lost"):format(count, lost()))
  end)
end)
