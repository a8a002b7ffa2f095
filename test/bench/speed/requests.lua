-- Sends the requests of a file, one after the other, as the bytes that they are. The arguments are the file's name
-- and "once" (each request at most once) or "again". What was measured is printed as a line of JSON.

local requests = {}
local count = 0
local once = false
-- Read by done().
sent = 0

function setup(thread)
  worker = thread
end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for length in file:lines() do
    count = count + 1
    requests[count] = file:read(tonumber(length))
    file:read(1)
  end
  file:close()
  once = args[2] == "once"
end

function request()
  sent = sent + 1
  if sent > count and once then
    -- Counted, and found in the end.
    return requests[count]
  end
  return requests[(sent - 1) % count + 1]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    'LOAD {"requests":%d,"micros":%d,"sent":%d,"p50":%.1f,"p99":%.1f,' ..
    '"refused":%d,"broken":%d,"late":%d}',
    summary.requests, summary.duration, worker:get("sent"),
    latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
