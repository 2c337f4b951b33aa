-- Takes units of several windows, all or none.
-- KEYS: one list per window: when each unit was taken, in microseconds, oldest first.
-- ARGV: per window its quota, its length in microseconds, and the units that are asked of it.
-- Answers per window: units in use, microseconds until this request would pass (0: it passes),
-- microseconds until the oldest unit is free again.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer, passes = {}, true
for i, key in ipairs(KEYS) do
  local quota, length, units = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local oldest = redis.call('LINDEX', key, 0)
  while oldest and tonumber(oldest) <= now - length do
    redis.call('LPOP', key)
    oldest = redis.call('LINDEX', key, 0)
  end
  local used, wait = redis.call('LLEN', key), 0
  if used + units > quota then
    passes = false
    local blocking = redis.call('LINDEX', key, math.min(used + units - quota, used) - 1)
    wait = blocking and tonumber(blocking) + length - now or length
  end
  answer[3 * i - 2], answer[3 * i - 1] = used, wait
  answer[3 * i] = oldest and tonumber(oldest) + length - now or 0
end
if passes then
  local stamp = string.format('%.0f', now)
  for i, key in ipairs(KEYS) do
    local length, units = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    for _ = 1, units do
      redis.call('RPUSH', key, stamp)
    end
    if units > 0 then
      redis.call('PEXPIRE', key, math.ceil(length / 1000))
      answer[3 * i - 2] = answer[3 * i - 2] + units
      if answer[3 * i] == 0 then answer[3 * i] = length end
    end
  end
end
return answer
