-- The same question, nearly, of as many readers as there are requests, each in a thread of its own.
local number = 0

request = function()
    number = number + 1
    local body = string.format(
        '{"agent":"plain","reader":"u%d","question":"How do I deploy %d?","slack":{"channel":"C0123ABCD","thread":"1700000000.%06d"}}',
        number, number, number % 1000000)
    return wrk.format("POST", "/v1/ask", {["content-type"] = "application/json"}, body)
end
