local progress = require "resque.cli.progress"
local terminal = require "resque.cli.terminal"

describe("the progress bar", function()
  it("shows share, counts, speed and what is left", function()
    local line = progress.line(6100, 10000, 6100 / 8900, 60)
    assert.is_truthy(line:find(" 61%% 6,100/10,000 8,900/s ETA 0s$"), line)
    assert.are.equal(60 - 1, utf8.len(line))
    assert.are.equal(16, select(2, line:gsub("█", "")))
    assert.are.equal(11, select(2, line:gsub("░", "")))
  end)

  it("is empty at the start and full at the end", function()
    local empty, full = ("░"):rep(40), ("█"):rep(40)
    assert.are.equal(empty .. " 0% 0/10 0/s ETA ?", progress.line(0, 10, 0, 80))
    assert.are.equal(full .. " 100% 10/10 10/s ETA 0s", progress.line(10, 10, 1, 80))
    assert.are.equal(full .. " 100%", progress.line(11, 10, 1, 80):match "^[^ ]+ 100%%")
  end)

  it("counts only, when nobody knows how many there are", function()
    assert.are.equal("6,100 queued 3,050/s", progress.line(6100, nil, 2, 80))
  end)

  it("fits a narrow terminal as well as it can", function()
    assert.are.equal(8, select(2, progress.line(1, 10, 1, 10):gsub("[█░]", "")) // 3)
  end)

  it("draws at most every tenth of a second", function()
    local drawn = 0
    local bar = progress.new(1000, function() drawn = drawn + 1 end)
    for i = 1, 1000 do
      bar:update(i)
    end
    assert.are.equal(1, drawn)
    bar:clear()
    assert.are.equal(2, drawn)
    bar:clear()
    assert.are.equal(2, drawn)
  end)
end)

describe("numbers for people", function()
  it("have commas", function()
    local rows = {
      [0] = "0", [999] = "999", [1000] = "1,000", [123456] = "123,456", [1234567] = "1,234,567",
    }
    for number, text in pairs(rows) do
      assert.are.equal(text, terminal.number(number))
    end
  end)

  it("are durations", function()
    local rows = {
      [0] = "0s", [59.4] = "59s", [60] = "1m 0s", [65] = "1m 5s", [7200] = "2h 0m",
      [9000] = "2h 30m",
    }
    for seconds, text in pairs(rows) do
      assert.are.equal(text, terminal.duration(seconds))
    end
  end)
end)
