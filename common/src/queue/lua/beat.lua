-- Notes that a worker lives, by the clock of Redis, so that hosts need not agree on the time.
-- KEYS[1] queue.  ARGV[1] worker
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1] .. ':beats', time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
