--- Numbers that follow from a seed and nothing else, on any machine (splitmix64). Every job and
-- every fault has a stream of its own, so that none depends on how many were drawn before.
local random = {}

local function mix(x)
  x = (x ~ (x >> 30)) * 0xBF58476D1CE4E5B9
  x = (x ~ (x >> 27)) * 0x94D049BB133111EB
  return x ~ (x >> 31)
end

--- A stream for these integers.
-- @return function: f() is a number in [0,1), f(n) an integer in 1..n
function random.stream(...)
  local state = 0
  for _, key in ipairs { ... } do
    state = mix(state + key + 0x9E3779B97F4A7C15)
  end
  return function(n)
    state = state + 0x9E3779B97F4A7C15
    local bits = mix(state) >> 11
    return n and bits % n + 1 or bits / (1 << 53)
  end
end

local sorted = setmetatable({}, { __mode = "k" }) -- weights -> its names in order, and their sum

local function names_of(weights)
  if not sorted[weights] then
    local names, sum = {}, 0
    for name, weight in pairs(weights) do
      names[#names + 1] = name
      sum = sum + weight
    end
    table.sort(names)
    sorted[weights] = { names = names, sum = sum }
  end
  return sorted[weights].names, sorted[weights].sum
end

--- One of the names of `weights` (name -> share, never changed), by its share.
function random.choice(draw, weights)
  local names, sum = names_of(weights)
  local at = draw() * sum
  for _, name in ipairs(names) do
    at = at - weights[name]
    if at < 0 then
      return name
    end
  end
  return names[#names]
end

return random
