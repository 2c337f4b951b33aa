-- Takes agents out: those that are named, or else those whose time is over. Answers how many.
-- KEYS[1] the prefix of all keys.  ARGV[1] at most so many.  ARGV[2...] ids
local prefix = KEYS[1]
local ids = {}
for place = 2, #ARGV do
    ids[#ids + 1] = ARGV[place]
end
local is_named = #ids > 0
if not is_named then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    ids = redis.call('ZRANGEBYSCORE', prefix .. 'agents:leases', '-inf', now, 'LIMIT', 0, ARGV[1])
end
for _, id in ipairs(ids) do
    local key = prefix .. 'agent:' .. id
    for _, capability in ipairs(redis.call('SMEMBERS', key .. ':capabilities')) do
        redis.call('SREM', prefix .. 'agents:capabilities:' .. capability, id)
    end
    redis.call('DEL', key, key .. ':capabilities')
    redis.call('SREM', prefix .. 'agents:all', id)
    redis.call('ZREM', prefix .. 'agents:leases', id)
    redis.call('ZREM', prefix .. 'agents:versions', id)
end
return #ids
