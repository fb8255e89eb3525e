-- resque.job: classes by name, payloads, the object a job runs as.
local job = require "resque.job"
local json = require "resque.json"

describe("resque.job", function()
  describe("classes", function()
    it("are registered and found by name", function()
      local A = job "Spec_A"
      assert.are.equal(A, job.lookup "Spec_A")
      assert.are.equal(A, job "Spec_A")
      assert.are.equal("Spec_A", job.name_of(A))
      assert.are.equal(A, job.classes().Spec_A)
      assert.is_nil(job.lookup "Spec_None")
      assert.is_nil(job.name_of {})
    end)

    it("may be tables of one's own, and be replaced", function()
      local mine, other = {}, {}
      assert.are.equal(mine, job("Spec_B", mine))
      assert.are.equal(other, job("Spec_B", other))
      assert.are.equal(other, job.lookup "Spec_B")
    end)

    it("are found with any separator, exact names first", function()
      local ruby = job "Spec::Mail::Send"
      assert.are.equal(ruby, job.lookup "Spec.Mail.Send")
      assert.are.equal(ruby, job.lookup "Spec\\Mail\\Send")
      assert.are.equal(ruby, job.lookup "\\Spec\\Mail\\Send")
      local php = job "Spec\\Mail\\Send"
      assert.are.equal(php, job.lookup "Spec\\Mail\\Send")
      assert.are.equal(ruby, job.lookup "Spec::Mail::Send")
    end)

    it("have any text as a name but none", function()
      assert.is_table(job "a b\n\27[31m")
      for _, f in ipairs {
        function() job "" end,
        function() job() end,
        function() job(5) end,
        function() job("Spec_C", "x") end,
      } do
        local ok, err = pcall(f)
        assert.is_false(ok)
        assert.is_truthy(err:find "job_spec.lua:%d+: job: ", err)
      end
    end)
  end)

  describe("payloads of each producer", function()
    -- docs/redis.md, Payloads: payload, args as JSON, self.args as JSON, id, queue_time, prefix
    local rows = {
      ruby = { '{"class":"RJob","args":[1,"é/x",{"a":null}]}', '[1,"é/x",{"a":null}]', "1" },
      ["php 2012"] = {
        '{"class":"My_Job","args":[{"name":"Chris"}],"id":"6055fe0a0b0c0d0e0f00010203020b95"}',
        '[{"name":"Chris"}]', '{"name":"Chris"}', "6055fe0a0b0c0d0e0f00010203020b95",
      },
      ["php, no args"] = {
        '{"class":"My_Job","args":[null],"id":"96e668fc","queue_time":1795341259.662578}',
        "[null]", "{}", "96e668fc", 1795341259.662578,
      },
      ["php, empty args"] = { '{"class":"My_Job","args":[[]],"id":"1"}', "[[]]", "[]", "1" },
      ["php, new"] = {
        '{"class":"PHP_Job","args":[{"name":"Chris","u":"\\/\\u00e9\\ud83d\\ude00"}],"id":"a94d",'
          .. '"prefix":"","queue_time":1795341117.777}',
        '[{"name":"Chris","u":"/é\u{1F600}"}]', '{"name":"Chris","u":"/é\u{1F600}"}', "a94d",
        1795341117.777, "",
      },
      node = { '{"class":"add","queue":"math","args":[1,2]}', "[1,2]", "1" },
      ["php 1.1, object args"] = {
        '{"class":"X","args":{"name":"Chris"},"id":"1"}', '[{"name":"Chris"}]',
        '{"name":"Chris"}', "1",
      },
      ["empty args"] = { '{"class":"X","args":[]}', "[]", "{}" },
      ["empty object"] = { '{"class":"X","args":[{}]}', "[{}]", "{}" },
      ["an object as args"] = { '{"class":"X","args":{}}', "[{}]", "{}" },
      ["no args"] = { '{"class":"X"}', "[]", "{}" },
      ["null args"] = { '{"class":"X","args":null}', "[]", "{}" },
      ["a value as args"] = { '{"class":"X","args":"text"}', '["text"]', '"text"' },
      ["false first"] = { '{"class":"X","args":[false,1]}', "[false,1]", "false" },
      ["fields of odd kinds"] = {
        '{"class":"X","args":[9007199254740993],"id":7,"queue_time":"soon","prefix":[]}',
        "[9007199254740993]", "9007199254740993",
      },
    }
    for name, row in pairs(rows) do
      it(name, function()
        local info = job.read(row[1], "mail", 2)
        assert.are.equal(row[2], json.encode(info.args))
        assert.is_true(json.is_array(info.args))
        assert.are.equal(row[3], json.encode(job.instance({}, info).args))
        assert.are.equal(row[4], info.id)
        assert.are.equal(row[5], info.queue_time)
        assert.are.equal(row[6], info.prefix)
        assert.are.equal(json.decode(row[1]).class, info.class)
        assert.are.same({ "mail", 2, row[1] }, { info.queue, info.attempts, info.payload })
      end)
    end
    it("counts attempts from 0", function()
      assert.are.equal(0, job.read('{"class":"X"}', "q").attempts)
    end)
  end)

  describe("the object", function()
    local info = job.read('{"class":"X","args":[{"n":1},null,"x",null]}', "mail")

    it("has args, queue, job, and the methods of its class", function()
      local Base = { greet = function(self) return self.args.n end }
      local class = setmetatable({}, { __index = Base })
      local object = job.instance(class, info)
      assert.are.equal(1, object:greet())
      assert.are.equal("mail", object.queue)
      assert.are.equal(info, object.job)
      object.x = 5
      assert.is_nil(class.x)
    end)

    it("gets the whole list as parameters, null as nil", function()
      assert.are.same({ n = 4, { n = 1 }, nil, "x", nil }, table.pack(job.parameters(info)))
      assert.are.equal(json.null, info.args[2])
      assert.are.equal(0, select("#", job.parameters(job.read('{"class":"X","args":[]}', "q"))))
    end)

    it("gets 10,000 parameters of a longer list", function()
      local long = job.read('{"class":"X","args":[' .. ("1,"):rep(300000) .. "1]}", "q")
      assert.are.equal(10000, select("#", job.parameters(long)))
      assert.are.equal(300001, #long.args)
    end)

    it("has its methods under both names", function()
      local f, g = function() end, function() end
      assert.are.equal(f, job.method({ setUp = f }, "setUp"))
      assert.are.equal(f, job.method({ set_up = f }, "setUp"))
      assert.are.equal(g, job.method({ tearDown = g, tear_down = f }, "tearDown"))
      assert.are.equal(f, job.method({ perform = f }, "perform"))
      assert.is_nil(job.method({ perform = "text" }, "perform"))
      assert.is_nil(job.method({}, "setUp"))
    end)
  end)
end)
