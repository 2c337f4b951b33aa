-- Says that agents are present, by the clock of Redis. What was said of an agent at a later version stays.
-- KEYS[1] the prefix of all keys.  ARGV[1] a JSON array of { id, version, ttl_ms, profile (a text), capabilities }
local prefix = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, agent in ipairs(cjson.decode(ARGV[1])) do
    local key = prefix .. 'agent:' .. agent.id
    local known = tonumber(redis.call('ZSCORE', prefix .. 'agents:versions', agent.id))
    if not known or known <= agent.version or redis.call('EXISTS', key) == 0 then
        for _, capability in ipairs(redis.call('SMEMBERS', key .. ':capabilities')) do
            redis.call('SREM', prefix .. 'agents:capabilities:' .. capability, agent.id)
        end
        redis.call('DEL', key .. ':capabilities')
        for _, capability in ipairs(agent.capabilities) do
            redis.call('SADD', prefix .. 'agents:capabilities:' .. capability, agent.id)
            redis.call('SADD', key .. ':capabilities', capability)
        end
        redis.call('SET', key, agent.profile, 'PX', agent.ttl_ms)
        redis.call('ZADD', prefix .. 'agents:versions', agent.version, agent.id)
        redis.call('SADD', prefix .. 'agents:all', agent.id)
    else
        redis.call('PEXPIRE', key, agent.ttl_ms)
    end
    redis.call('ZADD', prefix .. 'agents:leases', now + agent.ttl_ms, agent.id)
end
