--- Measures the sources: `lua5.4 spec/measure.lua [all]`, from the top of the repository.
--
-- Prints a table of functions (lines), files (lines), structs (fields), headers (how many of ours
-- each draws in), and the arrows that point up. With `all`: every function, file, struct and
-- header, one a line, largest first. C is read by its layout, which `make lint-format` keeps: a
-- definition begins in the first column and ends with a brace there. Lua is read by luac5.4.

local HERE = arg[0]:match "^(.*)/[^/]*$" or "."
local all = arg[1] == "all"

local function lines_of(command)
  local list, pipe = {}, assert(io.popen(command))
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  pipe:close()
  return list
end

local function read(path)
  local list = {}
  for line in io.lines(path) do
    list[#list + 1] = line
  end
  return list
end

-- ------------------------------------------------------------------------------------------- C

-- Calls found(name, first, last) for each function; a head may take several lines.
local function each_c_function(text, found)
  local first, name
  for i, line in ipairs(text) do
    line = line:gsub("__attribute__%b()%s*", "")
    if line == "}" then
      if name then
        found(name, first, i)
      end
      first, name = nil, nil
    elseif line:find "^[%a_]" and not line:find ";$" then
      first, name = i, line:match "([%w_]+)%("
    end
  end
end

-- Text without comments, and without the bodies of structs, unions and enums inside.
local function plain_body(body)
  body = body:gsub("/%*.-%*/", "")
  return (body:gsub("([%w_ ]*)(%b{})", function(head)
    return head:find "enum" and "enum" or "inner"
  end))
end

local function count_fields(body)
  local count = 0
  for declaration in plain_body(body):gmatch "[^;]+;" do
    count = count + 1 + select(2, declaration:gsub("%b()", ""):gsub(",", ""))
  end
  return count
end

local function each_struct(text, found)
  local whole = "\n" .. table.concat(text, "\n")
  for name, body in whole:gmatch "\nstruct ([%w_]+) (%b{})" do
    found(name, count_fields(body:sub(2, -2)))
  end
end

-- Header -> list of our headers that it includes, as they are written: below src.
local function includes_of(text)
  local list = {}
  for _, line in ipairs(text) do
    list[#list + 1] = line:match '^#include "(.*)"'
  end
  return list
end

local function closure(header, includes, seen)
  local count = 0
  for _, included in ipairs(includes[header] or {}) do
    if not seen[included] then
      seen[included] = true
      count = count + 1 + closure(included, includes, seen)
    end
  end
  return count
end

-- ----------------------------------------------------------------------------------------- Lua

-- As luac sees them; the name is what stands on the first line.
local function each_lua_function(path, text, found)
  local command = ("luac5.4 -l -p '%s'"):format(path)
  for _, line in ipairs(lines_of(command)) do
    local first, last = line:match "^function <[^:]*:(%d+),(%d+)>"
    if first then
      first, last = tonumber(first), tonumber(last)
      found(text[first]:match "function%s+([%w_.:]+)" or text[first]:match "([%w_.]+)%s*=" or "-",
        first, last)
    end
  end
end

-- --------------------------------------------------------------------------------- the numbers

local function collect()
  local found = { c = {}, lua = {}, files = {}, structs = {}, headers = {} }
  local includes = {}
  local function add(list, size, name, where)
    list[#list + 1] = { size = size, name = name, where = where }
  end
  for _, path in ipairs(lines_of "find src lua -name '*.[ch]' -o -name '*.lua' | sort") do
    local text = read(path)
    add(found.files, #text, path)
    local list = path:find "%.lua$" and found.lua or found.c
    local each = list == found.c and function(_, ...) return each_c_function(...) end
      or each_lua_function
    each(path, text, function(name, first, last)
      add(list, last - first + 1, name, path .. ":" .. first)
    end)
    if list == found.c then
      each_struct(text, function(name, fields)
        add(found.structs, fields, "struct " .. name, path)
      end)
      includes[path:sub(5)] = includes_of(text)
    end
  end
  for path in pairs(includes) do
    if path:find "%.h$" then
      add(found.headers, closure(path, includes, { [path] = true }), path)
    end
  end
  for _, list in pairs(found) do
    table.sort(list, function(a, b)
      if a.size ~= b.size then
        return a.size > b.size
      end
      return (a.where or a.name) < (b.where or b.name)
    end)
  end
  return found
end

local function quantile(list, part)
  return #list > 0 and list[#list - math.floor((#list - 1) * part)].size or 0
end

local function above(list, size)
  local count = 0
  while list[count + 1] and list[count + 1].size > size do
    count = count + 1
  end
  return count
end

local function row(what, list, limit)
  local most = list[1] or { size = 0, name = "-" }
  print(("%-24s %6d  %6d %6d %6d  %5d > %-4d %s %s"):format(what, #list, quantile(list, 0.5),
    quantile(list, 0.9), most.size, above(list, limit), limit, most.name, most.where or ""))
end

local ROWS = {
  { "functions, C, lines", "c", 40 }, { "functions, Lua, lines", "lua", 40 },
  { "files, lines", "files", 449 }, { "structs, fields", "structs", 14 },
  { "headers, closure", "headers", 15 },
}

local found = collect()
if all then
  for _, one in ipairs(ROWS) do
    print(one[1])
    for _, item in ipairs(found[one[2]]) do
      print(("%6d %s %s"):format(item.size, item.name, item.where or ""))
    end
  end
else
  print(("%-24s %6s  %6s %6s %6s  %12s %s"):format("", "number", "median", "p90", "most",
    "above limit", "the largest"))
  for _, one in ipairs(ROWS) do
    row(one[1], found[one[2]], one[3])
  end
end
local arrows = lines_of(("lua5.4 %s/floors.lua"):format(HERE))
print(("%-24s %6d"):format("arrows that point up", #arrows))
for _, arrow in ipairs(arrows) do
  print("  " .. arrow)
end
