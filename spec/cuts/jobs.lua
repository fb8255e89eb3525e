-- The jobs of the scripted life (life.lua): each says when it starts and ends.
local resque = require "resque"

local function note(word, id)
  local file = assert(io.open(os.getenv "LEDGER", "a"))
  file:write(word, " ", id, "\n")
  file:close()
end

local function title()
  local file = assert(io.open("/proc/self/cmdline", "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- Once in a run, the process of the job in cut_back ends before the job has started.
if title():find("Processing cut_back", 1, true) and os.remove(os.getenv "LEDGER" .. ".back") then
  os.exit(7)
end

local Fine = resque.job "Cut_Fine"
function Fine:perform()
  note("start", self.job.id)
  resque.sleep(self.args.seconds or 0)
  note("end", self.job.id)
  return self.args.text
end

local Bad = resque.job "Cut_Bad"
function Bad:perform()
  note("start", self.job.id)
  error "as it should"
end

local Die = resque.job "Cut_Die"
function Die:perform()
  note("start", self.job.id)
  os.exit(3)
end

local Once = resque.job "Cut_Once"
Once.on_crash = "requeue:2" -- its process tells Redis, on a connection of its own
function Once:perform()
  note("start", self.job.id)
  if self.job.attempts == 0 then
    os.exit(3)
  end
  note("end", self.job.id)
end
