std = "lua54"
max_line_length = 100
files["lua/server/**"] = {
  std = "lua51",
  -- What Redis gives its scripts, and what the parts of one script share (they are joined at build time).
  read_globals = { "redis", "KEYS", "ARGV", "cjson" },
  ignore = { "111", "112", "113", "131" },
}
files["spec/**"] = { std = "+busted" }
