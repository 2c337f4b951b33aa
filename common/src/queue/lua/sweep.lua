-- Forgets finished jobs.
-- KEYS[1] queue.  ARGV[1] how many at most (one call blocks Redis for about 3 us each)
-- Returns how many.
local queue = KEYS[1]
local swept = 0

for _, set in ipairs({ ':done', ':dead' }) do
    local ids = redis.call('SPOP', queue .. set, ARGV[1] - swept)
    if #ids > 0 then
        redis.call('HDEL', queue .. ':data', unpack(ids))
        for _, id in ipairs(ids) do
            redis.call('UNLINK', queue .. ':meta:' .. id)
        end
        swept = swept + #ids
    end
end
return swept
