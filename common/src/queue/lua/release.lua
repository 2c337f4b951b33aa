-- Gives back what workers held, to the head of the list, and forgets the workers.
-- KEYS[1] queue.  ARGV[1] worker, or '' for all that have not been seen for ARGV[2] ms
-- Returns { given back, dropped }.
--
-- Dropped is what would end the next worker too: an id without payload or meta data, and an id
-- that is not "<uuid>.<fence>", which apalis may read as a number and then fail to acknowledge.
local queue = KEYS[1]
local uuid_and_fence = '^%x+%-%x+%-%x+%-%x+%-%x+%.%d+$'
local given_back, dropped = 0, 0

local function release(worker)
    for _, id in ipairs(redis.call('SMEMBERS', queue .. ':inflight:' .. worker)) do
        local meta = queue .. ':meta:' .. id
        if string.find(id, uuid_and_fence)
            and redis.call('HEXISTS', queue .. ':data', id) == 1
            and redis.call('HEXISTS', meta, 'attempts') == 1 then
            redis.call('HSET', meta, 'status', 'Pending')
            redis.call('LPUSH', queue .. ':active', id)
            given_back = given_back + 1
        else
            redis.call('HDEL', queue .. ':data', id)
            redis.call('UNLINK', meta)
            dropped = dropped + 1
        end
    end
    redis.call('UNLINK', queue .. ':inflight:' .. worker, queue .. ':workers:metadata:' .. worker)
    redis.call('ZREM', queue .. ':workers', worker)
    redis.call('ZREM', queue .. ':beats', worker)
end

if ARGV[1] ~= '' then
    release(ARGV[1])
else
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    -- A worker that has not beaten yet is given its time from now on.
    for _, worker in ipairs(redis.call('ZRANGE', queue .. ':workers', 0, -1)) do
        redis.call('ZADD', queue .. ':beats', 'NX', now, worker)
    end
    local silent_since = '(' .. (now - ARGV[2])
    for _, worker in ipairs(redis.call('ZRANGEBYSCORE', queue .. ':beats', '-inf', silent_since)) do
        release(worker)
    end
end

if given_back > 0 then
    redis.call('PUBLISH', queue .. ':wake', given_back)
end
return { given_back, dropped }
