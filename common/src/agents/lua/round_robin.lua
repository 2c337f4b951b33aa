-- Chooses those of the given agents that were chosen least, the earlier named first among equals, and answers whom.
-- One that was never chosen begins one below the least of the others, so that it is next and is not flooded.
-- KEYS[1] how often each was chosen.  ARGV[1] how many  ARGV[2] for how many seconds this is remembered  ARGV[3...] ids
local choices, known = {}, {}
for place = 3, #ARGV do
    local had = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[place]))
    choices[ARGV[place]] = had
    if had then
        known[#known + 1] = had
    end
end
table.sort(known)
local first = (known[1] or 1) - 1
local ids = {}
for place = 3, #ARGV do
    ids[#ids + 1] = { id = ARGV[place], had = choices[ARGV[place]] or first, place = place }
end
table.sort(ids, function(one, other)
    if one.had == other.had then
        return one.place < other.place
    end
    return one.had < other.had
end)
local taken = {}
for place = 1, math.min(tonumber(ARGV[1]), #ids) do
    taken[place] = ids[place].id
    redis.call('ZADD', KEYS[1], ids[place].had + 1, ids[place].id)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return taken
