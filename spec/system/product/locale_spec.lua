--- Nothing that is written depends on a locale: not on one that a job sets (os.setlocale), a hook
-- of the worker, APP_INCLUDE, a command's script or a program of plain lua5.4, nor on LC_ALL.
-- (Part `lua` of spec/run has the files of spec/lua under the same locales.)
local locales = require "spec.support.locales"
local process = require "spec.support.process"
local scene = require "spec.support.scene"
local world = require "spec.support.world"

-- A plain lua5.4 does not load modules built with sanitizers.
local without_sanitizers = os.getenv "SAN" and function() end or it

-- What every script here can do: set the locale of the row, and say a value as JSON.
local SCRIPT = [[
local function set()
  assert(os.setlocale(os.getenv "LOCALE"), "no such locale")
  assert(os.getenv "LOCALE" ~= "tr_TR.UTF-8" or string.upper "i" == "i")
  assert(tostring(1.5) == "1,5" and "a" < "B", "it changes nothing")
end
]]

-- Values whose text a locale would change, as they are written.
local VALUE = "{ 1.5, 2.0, 1e300, { B = 0.25, a = 1, i = 2 } }"
local TEXT = '[1.5,2.0,1e+300,{"B":0.25,"a":1,"i":2}]'

for _, locale in ipairs(locales.names) do
  describe("under " .. locale .. ":", function()
    local w <const> = scene.fresh()

    local function env(more)
      local all = { LOCALE = locale, LOCPATH = locales.folder() }
      for name, value in pairs(more or {}) do
        all[name] = value
      end
      return all
    end

    local function script(text)
      return w:write_jobs("jobs.lua", SCRIPT .. text)
    end

    -- Works on one job of class J; its failure record, nil if it is done.
    local function work(more, args)
      local run = w:start_idle(env(more))
      w:job("J", nil, { track = true, id = "one", args = args })
      w:wait_processed(1)
      return w:failed()[1], run
    end

    -- The JSON text that is kept as result.
    local function result()
      return (w:on("GET", "job:one:status"):match '"result":(.*)}$')
    end

    local function check_queued(queue, args)
      local payload = w:on("LINDEX", "queue:" .. queue, 0)
      assert.equal(args, payload:match '"args":(.*),"id"')
      assert.matches('"queue_time":%d+%.%d+}$', payload)
    end

    local results = {
      ["a table"] = { "return " .. VALUE, TEXT },
      ["a float"] = { "return 1.5", "1.5" },
      ["what it was given"] = { "return self.args", "[0.5,1.0,12345.678]" },
    }
    for name, row in pairs(results) do
      it("the result of a job is kept: " .. name, function()
        script("local J = resque.job 'J' function J:perform() set() " .. row[1] .. " end")
        assert.is_nil(work({ APP_INCLUDE = w.dir .. "/jobs.lua" }, "[[0.5,1.0,12345.678]]"))
        assert.equal(row[2], result())
      end)
    end

    it("what a job was given is read under the locale of APP_INCLUDE", function()
      local path = script [[set()
        local J = resque.job 'J'
        function J:perform() return self.args end]]
      assert.is_nil(work({ APP_INCLUDE = path }, "[[0.5,1.0,12345.678]]"))
      assert.equal("[0.5,1.0,12345.678]", result())
    end)

    it("a job puts another in, and asks for its status", function()
      local path = script([[local J = resque.job 'J' function J:perform()
        set()
        local id = assert(resque.enqueue("next", "K", ]] .. VALUE .. [[, true))
        return resque.status(id):get()
      end]])
      assert.is_nil(work { APP_INCLUDE = path })
      assert.equal("1", result())
      check_queued("next", "[" .. TEXT .. "]")
    end)

    it("a job sends floats to Redis, and no command that is refused", function()
      local path = script([[local J = resque.job 'J' function J:perform()
        set()
        resque.redis("SET", resque.key "float", 1.5)
        resque.redis.pipeline(function(p) p("APPEND", resque.key "float", 0.25) end)
        local _, why = resque.redis("monitor")
        return why
      end]])
      assert.is_nil(work { APP_INCLUDE = path })
      assert.equal("1.50.25", w:on("GET", "float"))
      assert.matches("monitor cannot be used", result())
    end)

    it("a job finds its own among waiting ones", function()
      local path = script([[local J = resque.job 'J' function J:perform()
        set()
        return resque.dequeue("other", { K = { B = 1.5, a = 2 } })
      end]])
      w:push("other", world.payload("K", '[{"a":2,"B":1.5}]'))
      assert.is_nil(work { APP_INCLUDE = path })
      assert.equal("1", result())
    end)

    it("an error is recorded in the same words", function()
      local path = script "local J = resque.job 'J' function J:perform() set() error(1.5) end"
      assert.equal("a number was raised: 1.5", work({ APP_INCLUDE = path }).error)
    end)

    it("a job that cannot reach Redis says so in the same words", function()
      local path = script([[local J = resque.job 'J' function J:perform()
        set()
        resque.set_backend "unix:///nonexistent/redis.sock"
        return select(2, resque.redis "PING")
      end]])
      assert.is_nil(work { APP_INCLUDE = path })
      assert.matches("No such file or directory", result())
    end)

    for name, value in pairs { ["a number"] = "0.5", ["a text"] = "'0.5s'" } do
      it("a time limit is kept: " .. name, function()
        local path = script("set() local J = resque.job 'J' J.timeout = " .. value
          .. " function J:perform() while true do end end")
        local record = work { APP_INCLUDE = path }
        assert.same({ "Resque::Timeout", "took longer than 0.5 s (timeout)", "timeout" },
          { record.exception, record.error, record.limit })
      end)
    end

    it("a hook of the worker has it for itself: its jobs begin without", function()
      local path = script([[
        resque.on("beforeFirstFork", set)
        resque.on("beforeFork", set)
        local J = resque.job 'J'
        J.timeout = 30.5
        function J:perform() return { 1.5, tostring(1.5), os.setlocale() } end]])
      local record, run = work { APP_INCLUDE = path, VVERBOSE = "1" }
      assert.is_nil(record)
      assert.equal('[1.5,"1.5","C"]', result())
      w:job("J")
      w:wait_processed(2)
      run:stop()
      assert.same({}, (w:failed()))
      assert.matches("ms CPU, %d+%.%d MB", run:err())
    end)

    it("a hook of the worker still has it when it is called again", function()
      local path = script([[
        resque.on("beforeFirstFork", set)
        resque.on("beforeFork", function() ledger.write(tostring(1.5)) end)
        local J = resque.job 'J'
        function J:perform() end]])
      work { APP_INCLUDE = path }
      assert.same({ "1,5" }, w:ledger())
    end)

    it("resque-enqueue -I", function()
      local path = script "set() local J = resque.job 'J' J.queue = 'mail' function J:perform() end"
      local args = { "--class", "J", "--positional", TEXT, "-I", path }
      local code, out, err = w:run(args, env(), { enqueue = true })
      assert.same({ 0, "" }, { code, err })
      assert.matches("^%x+\n$", out)
      check_queued("mail", TEXT)
    end)

    it("perform", function()
      local path = script("set() local J = resque.job 'J' function J:perform() return { " .. VALUE
        .. ", self.args, self.job.queue_time > 1e9 } end")
      local code, out, err = w:run({ "perform", "J", "x:=0.5", "-I", path, "--json" }, env())
      assert.same({ 0, "" }, { code, err })
      assert.equal('{"ok":true,"result":[' .. TEXT .. ',{"x":0.5},true]}\n', out)
    end)

    it("check", function()
      local path = script([[set()
        for _, name in ipairs { "b", "B", "a", "i", "I" } do
          resque.job(name).perform = function(self) return self end
        end]])
      local code, out, err = w:run({ "check", path }, env())
      assert.equal(0, code, err)
      assert.equal("B I a b i", out:gsub("\t[^\n]*\n", " "):match "^(.-) $")
    end)

    without_sanitizers("plain lua5.4, from before the first module on", function()
      local text = SCRIPT .. ([[
        set()
        local resque = require "resque"
        print(resque.json.encode(%s))
        print(resque.json.encode(resque.json.decode %q))
        print(resque.enqueue("plain", "J", %s) ~= nil)
        resque.redis("SET", "float", 1.5)
        resque.set_backend "REDIS://127.0.0.1:1"
        print((select(2, resque.redis "PING")))]]):format(VALUE, TEXT, VALUE)
      local code, out, err = process.run({ "lua5.4", "-e", text }, { dir = w.dir, env = env {
        PREFIX = w.prefix, REDIS_BACKEND = w.server:backend() } })
      assert.equal(0, code, err)
      assert.equal(TEXT .. "\n" .. TEXT
        .. "\ntrue\nRedis at redis://127.0.0.1:1: Connection refused\n", out)
      assert.equal("1.5", w.server:call("GET", "float"))
      check_queued("plain", "[" .. TEXT .. "]")
    end)

    it("the environment changes nothing", function()
      local path = script([[local J = resque.job 'J' function J:perform()
        return { 1.5, tostring(1.5), os.setlocale() }
      end]])
      local german = { APP_INCLUDE = path, LC_ALL = locale, LANG = locale, LANGUAGE = "de:tr" }
      assert.is_nil(work(german))
      assert.equal('[1.5,"1.5","C"]', result())
      local code, out = w:run({ "config" }, env { LC_ALL = locale, INTERVAL = "1.5", QUEUE = "q" })
      assert.equal(0, code)
      assert.matches("\ninterval\t1.5\tINTERVAL\n", out)
    end)
  end)
end
