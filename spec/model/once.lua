--- Functions of strings that are worked out once for each pair of arguments.

--- @param decode makes a new table of the first argument, for f to change as it likes
-- @return a function that makes such functions: f(decoded, argument), where nil counts as false;
--   and one that forgets what they have worked out
return function(decode)
  local forgets = {}
  local function once(f)
    local known = {}
    forgets[#forgets + 1] = function()
      known = {}
    end
    return function(text, argument)
      argument = argument or ""
      local of_text = known[text]
      if not of_text then
        of_text = {}
        known[text] = of_text
      end
      local result = of_text[argument]
      if result == nil then
        result = f(decode(text), argument) or false
        of_text[argument] = result
      end
      return result
    end
  end
  return once, function()
    for _, forget in ipairs(forgets) do
      forget()
    end
  end
end
