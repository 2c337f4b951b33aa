-- Counts. KEYS[1] queue.  ARGV[1] ms after which a silent worker counts as gone
-- Returns { waiting, in flight, done, dead, workers }.
local queue = KEYS[1]
local inflight = 0
for _, worker in ipairs(redis.call('ZRANGE', queue .. ':workers', 0, -1)) do
    inflight = inflight + redis.call('SCARD', queue .. ':inflight:' .. worker)
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return {
    redis.call('LLEN', queue .. ':active'),
    inflight,
    redis.call('SCARD', queue .. ':done'),
    redis.call('SCARD', queue .. ':dead'),
    redis.call('ZCOUNT', queue .. ':beats', now - ARGV[1], '+inf'),
}
