--- The pages of the documentation as specs read them: text, tables, code blocks, headings, links.
local folder = require "spec.support.world".root
local proc = require "spec.support.proc"

local pages = {}

--- The text of a file of the repository.
function pages.text(name)
  return assert(proc.read(folder .. "/" .. name), name .. " is missing")
end

--- What matches, in order. Several captures: a table of them.
function pages.matches(text, pattern)
  local list = {}
  for a, b in text:gmatch(pattern) do
    list[#list + 1] = b and { a, b } or a
  end
  return list
end

--- The names of a set, sorted.
function pages.sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

--- Every page, as paths from the top: README.md, docs/jobs.md, spec/nth/README.md ...
function pages.names()
  local list = {}
  local pipe = assert(io.popen(("cd '%s' && ls *.md */*.md */*/*.md"):format(folder)))
  for name in pipe:lines() do
    list[#list + 1] = name
  end
  pipe:close()
  return list
end

-- The rows of the table that begins at `start`, without head and ruler; inner `code|code` is kept.
local function rows_from(text, start)
  local rows = {}
  for line in text:sub(start):gmatch "([^\n]*)\n" do
    if line:sub(1, 1) ~= "|" then
      break
    end
    rows[#rows + 1] = pages.matches(line:gsub("\\|", "\0"), "%s*([^|]-)%s*|")
    table.remove(rows[#rows], 1)
  end
  return { table.unpack(rows, 3) }
end

--- The rows of every table of a page whose head begins with `head`, as lists of cells.
function pages.rows(name, head)
  local text, list = pages.text(name), {}
  local start = text:find("\n| " .. head, 1, true)
  assert(start, ("%s has no table %s"):format(name, head))
  while start do
    local rows = rows_from(text, start + 1)
    table.move(rows, 1, #rows, #list + 1, list)
    start = text:find("\n| " .. head, start + 1, true)
  end
  return list
end

--- The text below a heading, up to the next one of its level or above.
function pages.section(name, heading)
  local mark = heading:match "^#+"
  local text = pages.text(name) .. "\n# "
  local first = select(2, text:find("\n" .. heading .. "\n", 1, true))
  assert(first, ("%s has no heading %s"):format(name, heading))
  local last = math.huge
  for depth = 1, #mark do
    last = math.min(last, text:find("\n" .. ("#"):rep(depth) .. " ", first, true) or last)
  end
  return text:sub(first, last)
end

--- The code blocks of a page, in order: {kind = "lua", "sh" (an indented one) or "", text =}.
function pages.blocks(name)
  local list, block = {}, nil
  for line in pages.text(name):gmatch "([^\n]*)\n" do
    local fence, indented = line:match "^```(.*)", line:match "^    (.*)"
    if block and block.fenced and fence then
      block = nil
    elseif block and block.fenced then
      block.text = block.text .. line .. "\n"
    elseif fence then
      block = { kind = fence, text = "", fenced = true }
      list[#list + 1] = block
    elseif indented and block then
      block.text = block.text .. indented .. "\n"
    elseif indented then
      block = { kind = "sh", text = indented .. "\n" }
      list[#list + 1] = block
    else
      block = nil
    end
  end
  return list
end

-- What is read as text: no blocks of code, no `code`.
local function prose(name)
  local text = ("\n" .. pages.text(name)):gsub("\n```.-\n```", "\n")
  return text
end

--- The anchors of a page, as GitHub makes them of its headings.
function pages.anchors(name)
  local set = {}
  for heading in prose(name):gmatch "\n#+ ([^\n]+)" do
    local anchor = heading:lower():gsub("%[(.-)%]%b()", "%1"):gsub("[^%w _-]", ""):gsub(" ", "-")
    set[anchor] = true
  end
  return set
end

--- What a page links, in order.
function pages.links(name)
  return pages.matches(prose(name):gsub("`[^`\n]+`", ""), "%]%(([^)]+)%)")
end

--- The rules of the Redis user that the documents name, as words for ACL SETUSER.
function pages.redis_user()
  local text = pages.text "docs/redis.md":match "ACL SETUSER resque (on .-)\n\n"
  return pages.matches(text, "%S+")
end

return pages
