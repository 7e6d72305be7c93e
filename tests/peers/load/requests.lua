-- What wrk asks: `health`, or `search` with a few queries over and over. It fails where a single
-- request did.

local queries = {
    "which settings decide how much each level gets?",
    "why was this note not found?",
    "what does a pending context wait for?",
    "how is a memory brought back from a copy?",
}
local asked = 0

local function search()
    asked = asked + 1
    local query = queries[asked % #queries + 1]
    return wrk.format("POST", nil, nil, '{"query":"' .. query .. '","limit":5}')
end

function init(args)
    wrk.headers["Authorization"] = "Bearer " .. os.getenv("HIRAG_SERVER_TOKEN")
    if args[1] == "search" then
        wrk.headers["Content-Type"] = "application/json"
        request = search
    end
end

function done(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("failed: %d to connect, %d to read, %d to write, %d by their status, " ..
        "%d late\n", errors.connect, errors.read, errors.write, errors.status, errors.timeout))
    if failed > 0 or summary.requests == 0 then
        os.exit(1)
    end
end
