--- Sends a mail through the system's sendmail. Shows setUp and tearDown, a queue of its own,
-- skipping a job, and errors with a name of their own.
--
--    APP_INCLUDE=jobs/SendMail.lua QUEUE=mail resque-lua
--    resque-enqueue --class SendMail to=chris@example.org subject=Hi body=@letter.txt
local resque = require "resque"

local SendMail = {
  queue = "mail", -- where `resque-enqueue --class` and resque.enqueue(nil, SendMail) put it
}

-- An error may be a table: `name` becomes the exception in the failure record.
local function fail(name, format, ...)
  error { name = name, message = format:format(...) }
end

-- Before perform. An error here fails the job; perform and tearDown are then not called.
function SendMail:setUp()
  if not tostring(self.args.to):find "^[^%s@-][^%s@]*@[^%s@]+$" then
    fail("Mail::BadAddress", "cannot send to '%s'", tostring(self.args.to))
  end
  self.draft = os.tmpname() -- what is kept in self is this job's alone
end

function SendMail:perform()
  if self.args.to:find "@example%.org$" and not self.args.really then
    resque.dont_perform "example.org gets no mail" -- ends the job here; this is no failure
  end
  local file = assert(io.open(self.draft, "w"))
  file:write("To: ", self.args.to, "\nSubject: ", self.args.subject or "", "\n\n",
    self.args.body or "", "\n")
  file:close()
  local ok, how, code = os.execute("/usr/sbin/sendmail -t < " .. self.draft)
  if not ok then
    fail("Mail::NotSent", "sendmail: %s %d", how, code)
  end
  resque.log.info("mail sent to %s", self.args.to)
end

-- Whenever setUp went well, however perform ended; err is nil if it did not fail.
function SendMail:tearDown(err)
  os.remove(self.draft)
  if err then
    resque.log.warn("no mail to %s: %s", self.args.to, err.message)
  end
end

return SendMail
