local args = require "resque.cli.args"
local json = require "resque.json"

-- What a job would get, as JSON; or nil and the error and the hint.
local function read(words, whole)
  local list, err, hint = args.read(words, whole)
  if err then
    return nil, err, hint
  end
  return json.encode(list)
end

local function temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

describe("arguments on a command line", function()
  local rows = {
    { "nothing", {}, "[{}]" },
    { "an object", { '{"to":"x"}' }, '[{"to":"x"}]' },
    { "an empty list", { "[]" }, "[[]]" },
    { "a list inside an object", { '{"a":[],"b":{}}' }, '[{"a":[],"b":{}}]' },
    { "a number", { "5" }, "[5]" },
    { "a negative number", { "-5" }, "[-5]" },
    { "a string", { '"x"' }, '["x"]' },
    { "null", { "null" }, "[null]" },
    { "false", { "false" }, "[false]" },
    { "2^63-1 and 1.0", { '{"a":9223372036854775807,"b":1.0}' },
      '[{"a":9223372036854775807,"b":1.0}]' },
    { "a field of text", { "name=Chris" }, '[{"name":"Chris"}]' },
    { "text that looks like JSON", { "name=5" }, '[{"name":"5"}]' },
    { "text with an equals sign", { "url=http://x/?a=b" }, '[{"url":"http://x/?a=b"}]' },
    { "a colon in a name", { "a:b=c" }, '[{"a:b":"c"}]' },
    { "fields of JSON", { "n:=5", 'tags:=["a"]', "no:=null" },
      '[{"n":5,"no":null,"tags":["a"]}]' },
    { "an empty text", { "a=" }, '[{"a":""}]' },
  }
  for _, row in ipairs(rows) do
    it("takes " .. row[1], function()
      assert.are.equal(row[3], read(row[2]))
    end)
  end

  it("keeps JSON byte for byte", function()
    local text = '{ "b": 1e400, "a": [ ] }'
    assert.are.equal("[" .. text .. "]", read { text })
    assert.are.equal('[{"a":' .. text .. "}]", read { "a:=" .. text })
  end)

  it("reads files", function()
    local text, data = temporary "line\n", temporary '{"a":[]}'
    assert.are.equal('[{"body":"line\\n","cfg":{"a":[]}}]',
      read { "body=@" .. text, "cfg:=@" .. data })
    os.remove(text)
    os.remove(data)
  end)

  it("takes the whole list with --positional", function()
    assert.are.equal('["x", 1]', read({}, '["x", 1]'))
    assert.are.equal("[]", read({}, "[]"))
  end)

  local refused = {
    { "a bare word", { "abc" }, "'abc' is not name=value", "one JSON value alone" },
    { "a broken object", { '{"a"' }, "the arguments are not JSON: byte 5", "single quotes" },
    { "a word beside fields", { "a=1", "abc" }, "'abc' is not name=value", "name=text" },
    { "a name given twice", { "a=1", "a=2" }, "'a' is given twice", "a:='[1,2]'" },
    { "a name given twice, once null", { "a:=null", "a=2" }, "'a' is given twice", "" },
    { "a field without a name", { "=x" }, "'=x' is not name=value", "" },
    { "a field of broken JSON", { "n:={" }, "n: not JSON: byte", "to send text: n=" },
    { "a file that is not there", { "a=@/no/such" }, "/no/such: No such file",
      "to send the text itself" },
    { "a folder", { "a=@/tmp" }, "a: ", "to send the text itself" },
    { "bytes that are no text", { "a=\xff" }, "a: the text is not valid UTF-8", "base64" },
    { "a name that is no text", { "\xff=a" }, "not valid UTF-8", "" },
    { "a terminal escape", { "\27[31m" }, "'\\x1B[31m' is not name=value", "" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. row[1], function()
      local value, err, hint = read(row[2])
      assert.is_nil(value)
      assert.is_truthy(err:find(row[3], 1, true), err)
      assert.is_truthy((hint or ""):find(row[4], 1, true), hint)
    end)
  end

  it("refuses --positional that is no list, or not alone", function()
    assert.is_truthy(select(2, read({}, '{"a":1}')):find "a JSON list is wanted")
    assert.is_truthy(select(2, read({}, "[1")):find "not JSON")
    assert.is_truthy(select(2, read({ "x" }, "[]")):find "no place beside %-%-positional")
  end)

  it("refuses what the worker would: deeper than 98 with the payload around it", function()
    local deep = ("["):rep(96) .. ("]"):rep(96)
    assert.are.equal("[" .. deep .. "]", read { deep })
    assert.is_truthy(select(2, read { "[" .. deep .. "]" }):find "not JSON")
    assert.are.equal("[" .. deep .. "]", read({}, "[" .. deep .. "]"))
    assert.is_truthy(select(2, read({}, "[[" .. deep .. "]]")):find "not JSON")
  end)
end)
