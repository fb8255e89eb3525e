--- A TCP listener that is not Redis: answers every connection with the same bytes, or with nothing.
local uv = require "luv"

local stranger = {}

--- Starts one on a loopback port; returns port, and a function that closes it.
-- @param answer bytes sent to whoever connects; nil: connections are left hanging
-- @param closes whether it closes the connection then
function stranger.listen(answer, closes)
  local listener, peers = uv.new_tcp(), {}
  assert(listener:bind("127.0.0.1", 0))
  assert(listener:listen(16, function()
    local peer = uv.new_tcp()
    listener:accept(peer)
    peers[#peers + 1] = peer
    if answer then
      peer:write(answer)
    end
    if closes then
      peer:shutdown(function()
        peer:close()
      end)
      return
    end
    peer:read_start(function() end)
  end))
  return listener:getsockname().port, function()
    listener:close()
    for _, peer in ipairs(peers) do
      if not peer:is_closing() then
        peer:close()
      end
    end
  end
end

return stranger
