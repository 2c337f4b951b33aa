-- Puts wake-up calls on the list, each of them once.
-- KEYS[1] queue.  ARGV id, payload, id, payload, ...
-- Returns how many were put there: an id that waits or runs already is left alone, one that is
-- finished and not yet swept is taken out and put on the list again.
local queue = KEYS[1]
local fresh = {}

for i = 1, #ARGV, 2 do
    local id, payload = ARGV[i], ARGV[i + 1]
    local is_new = redis.call('HSETNX', queue .. ':data', id, payload) == 1
    if not is_new
        and redis.call('SREM', queue .. ':done', id) + redis.call('SREM', queue .. ':dead', id) > 0 then
        redis.call('HSET', queue .. ':data', id, payload)
        redis.call('UNLINK', queue .. ':meta:' .. id)
        is_new = true
    end
    if is_new then
        -- The three fields without which apalis refuses to fetch.
        redis.call('HSET', queue .. ':meta:' .. id, 'attempts', 0, 'max_attempts', 1, 'status', 'Pending')
        fresh[#fresh + 1] = id
    end
end

if #fresh > 0 then
    redis.call('RPUSH', queue .. ':active', unpack(fresh))
    redis.call('PUBLISH', queue .. ':wake', #fresh)
end
return #fresh
