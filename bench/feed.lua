-- Gives wrk the prepared requests of a file, each once, in order. The file of thread n is FEED.n:
-- for each request six digits of length, then the request as it goes over the wire.
-- FEED_LOOP=1 begins again at the end; otherwise the thread leaves FEED.n.done and stops there.
-- FEED_COUNT=1 waits for every answer before that (and costs a little). FEED_AT="0 0" says at which
-- byte each thread begins, and the result says where it stopped, so that the next run can go on.
-- FEED_PACE names a file with the milliseconds that a connection waits before each request, read once a second.
local threads = {}
local file, loop

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init(args)
    file = assert(io.open(os.getenv("FEED") .. "." .. number, "rb"))
    loop = os.getenv("FEED_LOOP") == "1"
    at = 0
    local begin = (os.getenv("FEED_AT") or ""):gmatch("%d+")
    for n = 0, number do at = tonumber(begin() or 0) end
    file:seek("set", at)
    sent = 0
    if os.getenv("FEED_COUNT") == "1" then response, delay = count, wait end
    if os.getenv("FEED_PACE") then delay = paced end
    answered = 0
    tried = number > 0 -- wrk asks the first thread once for a request only to look at it
end

local function finish()
    io.open(os.getenv("FEED") .. "." .. number .. ".done", "w"):close()
    wrk.thread:stop()
end

-- Milliseconds that a connection waits for the answers to others.
function wait() return ended and 50 or 0 end

function paced()
    if os.time() ~= looked then
        looked = os.time()
        pace = tonumber(io.open(os.getenv("FEED_PACE")):read("*a")) or pace
    end
    return math.floor(pace + math.random())
end

-- Counts answers to what the feed holds, and ends when the last one is there.
function count(status, headers, body)
    if body:sub(1, 9) ~= '{"status"' then answered = answered + 1 end
    if ended and answered >= sent then finish() end
end

function request()
    local size = file:read(6)
    if size == nil then
        if not loop then
            -- It must give something: until the last answers are there, what costs nothing, now and then.
            ended = true
            if os.getenv("FEED_COUNT") ~= "1" then finish() end
            return "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        end
        file:seek("set", 0)
        size = file:read(6)
    end
    if not tried then
        tried = true
        local shown = file:read(tonumber(size))
        file:seek("set", at)
        return shown
    end
    sent = sent + 1
    at = at + 6 + tonumber(size)
    return file:read(tonumber(size))
end

function done(summary, latency, requests)
    local errors = summary.errors
    local sent_all = 0
    local stopped = {}
    for _, thread in ipairs(threads) do
        sent_all = sent_all + thread:get("sent")
        table.insert(stopped, thread:get("at"))
    end
    io.write(string.format(
        '\nRESULT {"at": "%s", "requests": %d, "seconds": %.6f, "sent": %d, "bytes": %d, "refused": %d, "broken": %d, ' ..
        '"p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f}\n',
        table.concat(stopped, " "), summary.requests, summary.duration / 1e6, sent_all, summary.bytes, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000,
        latency.max / 1000))
end
