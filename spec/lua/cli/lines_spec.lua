local input = require "resque.cli.input"
local json = require "resque.json"
local lines = require "resque.cli.lines"
local uv = require "luv"

local function job_of(line, queue, class)
  local job, err = lines.reader(queue, class)(line)
  if job then
    return ("%s %s %s %s"):format(job.queue, job.class, json.encode(job.args), job.id or "-")
  end
  return nil, err
end

describe("a line of standard input", function()
  it("is the arguments when the command line names the class", function()
    local rows = {
      ['{"to":"x"}'] = '[{"to":"x"}]', ["[1,2]"] = "[[1,2]]", ["5"] = "[5]", ["null"] = "[null]",
      ['{"class":"Other"}'] = '[{"class":"Other"}]',
    }
    for line, list in pairs(rows) do
      assert.are.equal("mail Send " .. list .. " -", job_of(line, "mail", "Send"))
    end
  end)

  it("is a whole job otherwise", function()
    local rows = {
      { '{"queue":"q","class":"C"}', "q C [{}] -" },
      { '{"queue":"q","class":"C","args":{"a":[]},"id":"7"}', 'q C [{"a":[]}] 7' },
      { '{"queue":"q","class":"C","args":[1,"x"]}', 'q C [1,"x"] -' },
      { '{"queue":"q","class":"C","args":[]}', "q C [] -" },
      { '{"queue":"q","class":"C","args":5}', "q C [5] -" },
      { '{"queue":"q","class":"C","args":null}', "q C [null] -" },
    }
    for _, row in ipairs(rows) do
      assert.are.equal(row[2], job_of(row[1]))
    end
    assert.are.equal("mine C [{}] -", job_of('{"class":"C"}', "mine"))
    assert.are.equal("q C [{}] -", job_of('{"class":"C","queue":"q"}', "mine"))
  end)

  it("is refused with a reason", function()
    local rows = {
      { '{"queue":"q"', "not JSON: byte" },
      { '["q","C"]', "not a JSON object" },
      { '"q"', "not a JSON object" },
      { '{"queue":"q"}', 'there is no "class"' },
      { '{"class":"C"}', 'there is no "queue"' },
      { '{"queue":"q","class":5}', '"class" is not a text' },
      { '{"queue":"q","class":""}', '"class" is not a text' },
      { '{"queue":"q","class":"C","id":7}', '"id" is not a text' },
      { '{"queue":"q","class":"C","arg":{}}', 'unknown key "arg", did you mean "args"?' },
      { '{"queue":"q","class":"C","at":5}', 'unknown key "at"' },
    }
    for _, row in ipairs(rows) do
      local job, err = job_of(row[1])
      assert.is_nil(job)
      assert.is_truthy(err:find(row[2], 1, true), err)
    end
    assert.is_truthy(select(2, job_of("{x", "q", "C")):find "not JSON")
  end)
end)

describe("reading lines", function()
  -- Reads what is in a pipe; `more` is called once, when nothing is there any more.
  local function read_all(text, more)
    local pipe = uv.pipe()
    local list, reader = {}, input.new(pipe.read)
    local function put(bytes)
      assert.are.equal(#bytes, uv.fs_write(pipe.write, bytes, -1))
    end
    put(text)
    while true do
      local line, why = reader:next(0.01)
      if line then
        list[#list + 1] = line
      elseif why == "later" and more then
        more(put, list)
        more = nil
      elseif why == "later" then
        uv.fs_close(pipe.write)
      else
        uv.fs_close(pipe.read)
        return list, why, reader.number
      end
    end
  end

  it("gives each without its end, and the last one without", function()
    local list, why, number = read_all "a\n\nb\r\nc"
    assert.are.same({ "a", "", "b\r", "c" }, list)
    assert.are.equal("end", why)
    assert.are.equal(4, number)
    assert.are.same({}, (read_all ""))
    assert.are.same({ "a\0b" }, (read_all "a\0b\n"))
  end)

  it("joins a line that comes in pieces, and says when it has to wait", function()
    local list = read_all("one\ntw", function(put, so_far)
      assert.are.same({ "one" }, so_far)
      put "o\nthree"
    end)
    assert.are.same({ "one", "two", "three" }, list)
  end)

  it("drops a byte order mark at the very start only", function()
    assert.are.same({ "a", "\xEF\xBB\xBFb" }, (read_all "\xEF\xBB\xBFa\n\xEF\xBB\xBFb\n"))
  end)

  it("says what is wrong with a descriptor", function()
    assert.are.equal("Bad file descriptor", select(2, input.new(99):next(0)))
  end)
end)
