-- Gives turns to those of the given agents that had the fewest, the earlier named first among equals, and answers whom.
-- One who has had none yet begins one below the fewest of the others, so that it is next and is not flooded.
-- KEYS[1] the turns that were given.  ARGV[1] how many  ARGV[2] for how many seconds turns are remembered  ARGV[3...] ids
local turns, known = {}, {}
for place = 3, #ARGV do
    local had = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[place]))
    turns[ARGV[place]] = had
    if had then
        known[#known + 1] = had
    end
end
table.sort(known)
local first = (known[1] or 1) - 1
local ids = {}
for place = 3, #ARGV do
    ids[#ids + 1] = { id = ARGV[place], had = turns[ARGV[place]] or first, place = place }
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
