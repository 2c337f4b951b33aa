-- Serves requests, one after another. Each takes units of several windows: of all, or of none.
-- KEYS: one list per window: when each unit was taken, in microseconds, oldest first.
-- ARGV: per request the number of its windows, and for each the quota, its length in microseconds, and
-- the units that are asked of it; fewer than none are given back.
-- Answers per window: units in use, microseconds until its request would pass (0: it passes),
-- microseconds until the oldest unit is free again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local stamp = string.format('%.0f', now)
local answer = {}

local function look(window)
  local oldest = redis.call('LINDEX', window.key, 0)
  while oldest and tonumber(oldest) <= now - window.length do
    redis.call('LPOP', window.key)
    oldest = redis.call('LINDEX', window.key, 0)
  end
  window.used, window.wait = redis.call('LLEN', window.key), 0
  window.frees_in = oldest and tonumber(oldest) + window.length - now or 0
  if window.used + window.units > window.quota then
    local last = math.min(window.used + window.units - window.quota, window.used)
    local blocking = redis.call('LINDEX', window.key, last - 1)
    window.wait = blocking and tonumber(blocking) + window.length - now or window.length
    return false
  end
  return true
end

local function take(window)
  if window.units == 0 then return end
  if window.units < 0 then
    redis.call('RPOP', window.key, -window.units)
    window.used = math.max(window.used + window.units, 0)
    return
  end
  for _ = 1, window.units do
    redis.call('RPUSH', window.key, stamp)
  end
  redis.call('PEXPIRE', window.key, math.ceil(window.length / 1000))
  window.used = window.used + window.units
  if window.frees_in == 0 then window.frees_in = window.length end
end

local at, key = 1, 0
while at <= #ARGV do
  local windows, passes = {}, true
  for i = 1, tonumber(ARGV[at]) do
    key = key + 1
    windows[i] = {
      key = KEYS[key], quota = tonumber(ARGV[at + 1]), length = tonumber(ARGV[at + 2]), units = tonumber(ARGV[at + 3])
    }
    at = at + 3
    passes = look(windows[i]) and passes
  end
  at = at + 1
  for _, window in ipairs(windows) do
    if passes then take(window) end
    answer[#answer + 1] = window.used
    answer[#answer + 1] = window.wait
    answer[#answer + 1] = window.frees_in
  end
end
return answer
