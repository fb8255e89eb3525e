--- Lets the demo's scripts find the modules of this checkout from a plain lua5.4. An installed
-- resque-lua needs none of this: `require "resque"` is all.
local top = (arg[0]:match "^(.*)/" or ".") .. "/.."
package.path = top .. "/lua/?.lua;" .. package.path
package.cpath = (os.getenv "BUILD" or top .. "/build") .. "/lib/?.so;" .. package.cpath
