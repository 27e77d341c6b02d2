/**
 * What has to happen at the remote in one step. KEYS are the entry and its lease, in one slot. Whatever is no string is
 * nobody's entry: it counts as absent, and a write replaces it. The entry is written first: a script that has written something
 * may exceed the remote's memory.
 */
import { createHash } from 'node:crypto';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

const READ = `local v = redis.pcall('GET', KEYS[1])
if type(v) ~= 'string' then v = false end
local function set(value, px)
  if px == '' then redis.call('SET', KEYS[1], value) else redis.call('SET', KEYS[1], value, 'PX', px) end
end
`;

/** ARGV: token, lease ms, id of a value that will not do. The value; else 1 with the lease, or minus the ms the lease of another lasts. */
export const ASK = script(`${READ}
if v and string.sub(v, 5, 12) ~= ARGV[3] then return v end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return -math.max(1, redis.call('PTTL', KEYS[2]))`);

/** ARGV: token, value, px. 1 if the lease was still the token's. */
export const FILL = script(`${READ}
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
set(ARGV[2], ARGV[3])
redis.call('DEL', KEYS[2])
return 1`);

/** ARGV: value, px. */
export const WRITE = script(`${READ}
set(ARGV[1], ARGV[2])
redis.call('DEL', KEYS[2])
return 1`);

/** ARGV: id, value, px. Replaces the entry of this id; 0 when another is there. */
export const REPLACE = script(`${READ}
if not v or string.sub(v, 5, 12) ~= ARGV[1] then return 0 end
set(ARGV[2], ARGV[3])
redis.call('DEL', KEYS[2])
return 1`);

/** ARGV: how many bytes of the old value to return. Removes entry and lease. */
export const REMOVE = script(`${READ}
redis.call('DEL', KEYS[1], KEYS[2])
if v then return string.sub(v, 1, tonumber(ARGV[1])) end
return false`);

/** ARGV: token, lease ms. */
export const RENEW = script(`if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[2], ARGV[2])`);

/** ARGV: token. */
export const RELEASE = script(`if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[2])`);

/**
 * ARGV: by, how a number begins, section of the caller's keyspaces and no tags, section that was looked at and found living
 * (or ''), id of an entry that was found dead (or ''), a new id, entry to begin with, px. Returns the sum and when it expires;
 * 'nan'; or the entry that has to be looked at first.
 */
export const ADD = script(`${READ}
local by = tonumber(ARGV[1])
if v and string.sub(v, 5, 12) ~= ARGV[5] then
  local section = string.sub(v, 29, #v - 8)
  local known = section == ARGV[3] or (ARGV[4] ~= '' and section == ARGV[4])
  if string.sub(v, 1, 4) ~= ARGV[2] or not known then return v end
  local time = redis.call('TIME')
  local expires = struct.unpack('<d', string.sub(v, 13, 20))
  if expires > time[1] * 1000 + time[2] / 1000 then
    local sum = struct.unpack('<d', string.sub(v, #v - 7)) + by
    if sum ~= sum then return 'nan' end
    redis.call('SET', KEYS[1], string.sub(v, 1, 4) .. ARGV[6] .. string.sub(v, 13, #v - 8) .. struct.pack('<d', sum), 'KEEPTTL')
    redis.call('DEL', KEYS[2])
    return { string.format('%.17g', sum), string.format('%.17g', expires) }
  end
end
set(ARGV[7], ARGV[8])
redis.call('DEL', KEYS[2])
return { string.format('%.17g', by), string.format('%.17g', struct.unpack('<d', string.sub(ARGV[7], 13, 20))) }`);

/** ARGV: a new generation. The generation there is, which the new one becomes if there was none; px '' for ever. */
export const GENERATION = script(`local v = redis.pcall('GET', KEYS[1])
if type(v) == 'string' and #v == 8 then return v end
if ARGV[2] == '' then redis.call('SET', KEYS[1], ARGV[1]) else redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return ARGV[1]`);

/** The remote's clock, in ms. */
export const CLOCK = script(`local time = redis.call('TIME')
return string.format('%.3f', time[1] * 1000 + time[2] / 1000)`);
